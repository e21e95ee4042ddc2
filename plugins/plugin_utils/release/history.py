# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed what, and when: an entry for each deploy, rollback, rotation and teardown that changed something.

The entries are part of the record of the release (record.py), so they are written with it. They name objects and never
hold a value. They are bounded in number and size: the oldest go first.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

from ansible.module_utils.common.yaml import yaml_load

from ..text.one_line import one_line

DEPLOY, ROLLBACK, ROTATION, TEARDOWN = "deploy", "rollback", "rotation", "teardown"
ACTIONS = (DEPLOY, ROLLBACK, ROTATION, TEARDOWN)
# ROLLED_BACK: it failed, and the release that was there before is back. FAILED: it failed, and what it changed stays.
SUCCEEDED, FAILED, ROLLED_BACK = "succeeded", "failed", "rolled_back"
OUTCOMES = (SUCCEEDED, FAILED, ROLLED_BACK)

MOST_ENTRIES = 100
MOST_CHANGES = 30  # objects that an entry names
LONGEST_TEXT = 300  # characters
MOST_NAMES = 30  # extra variables, and tags, that an entry names
LONGEST_NAME = 100  # characters
LARGEST = 128 * 1024  # bytes of all entries, before they are compressed
GIT_TIMEOUT = 5.0  # seconds
UNCHANGED = ("unchanged", "absent")
COLLECTION = Path(__file__).parents[3]

Masked = Callable[[str], str]


@dataclass(frozen=True)
class Origin:
    """Why a run was started, and from which inventory: a directory, empty where there is none.

    What else decided about it: the names of the extra variables, and the tags that left parts out.
    """

    reason: str = ""
    inventory: str = ""
    extra_variables: Sequence[str] = ()
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()


@dataclass(frozen=True)
class Entry:
    """What one run did.

    ``revision``: its number. ``release``: the revision of the last good release afterwards; 0 for none.
    ``dirty``: whether the inventory had changes that are not in ``commit``. ``version``: of this collection.
    ``changes``: kind, name and result of the changed objects; ``more_changes``: how many it does not name.
    ``cause``: why it failed. ``completes``: whether it went on with what a run that died had left.
    ``extra_variables``: names of the variables that were given with -e, without the reason; ``more_extra_variables``:
    how many it does not name. ``from_release``, ``to_release``: of a rollback, the revisions whose objects it was to
    replace, and to bring back.
    """

    revision: int
    action: str
    outcome: str
    at: str
    by: str
    reason: str = ""
    commit: str = ""
    dirty: bool = False
    version: str = ""
    images: list[str] = field(default_factory=list)
    changes: list[dict[str, str]] = field(default_factory=list)
    more_changes: int = 0
    cause: str = ""
    completes: bool = False
    release: int = 0
    extra_variables: list[str] = field(default_factory=list)
    more_extra_variables: int = 0
    tags: list[str] = field(default_factory=list)
    skip_tags: list[str] = field(default_factory=list)
    from_release: int = 0
    to_release: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return asdict(self)


@dataclass(frozen=True)
class Account:
    """What a run that is about to end knows of itself.

    :param changes: entries of the objects, as the tasks of the run return them.
    :param masked: hides the values of Secrets in a text.
    :param rolled: of a rollback, the revisions of the release that it left and of the one that it brings back.
    """

    action: str
    origin: Origin
    holder: str
    changes: Sequence[Mapping[str, Any]]
    masked: Masked
    cause: str = ""
    completes: bool = False
    rolled: tuple[int, int] = (0, 0)

    @property
    def changed(self) -> bool:
        """Tell whether an object was changed."""
        return bool(self._changes())

    def entry(self, revision: int, release: int, outcome: str, images: Sequence[str]) -> Entry:
        """Return the entry of the run."""
        changes = self._changes()
        commit, dirty = inventory_commit(self.origin.inventory)
        extra_variables = self._names(self.origin.extra_variables)
        return Entry(
            revision=revision,
            action=self.action,
            outcome=outcome,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            by=self.holder.partition(" run ")[0],
            reason=self._text(self.origin.reason),
            commit=commit,
            dirty=dirty,
            version=collection_version(),
            images=[one_line(image, LONGEST_TEXT) for image in images[:MOST_CHANGES]],
            changes=changes[:MOST_CHANGES],
            more_changes=max(0, len(changes) - MOST_CHANGES),
            cause=self._text(self.cause),
            completes=self.completes,
            release=release,
            extra_variables=extra_variables[:MOST_NAMES],
            more_extra_variables=max(0, len(extra_variables) - MOST_NAMES),
            tags=self._names(self.origin.tags)[:MOST_NAMES],
            skip_tags=self._names(self.origin.skip_tags)[:MOST_NAMES],
            from_release=self.rolled[0],
            to_release=self.rolled[1],
        )

    def _names(self, names: Sequence[str]) -> list[str]:
        return [one_line(self.masked(name), LONGEST_NAME) for name in sorted(names)]

    def _changes(self) -> list[dict[str, str]]:
        return [
            {key: str(change[key]) for key in ("kind", "name", "result")}
            for change in self.changes
            if change["result"] not in UNCHANGED
        ]

    def _text(self, text: str) -> str:
        return one_line(self.masked(text), LONGEST_TEXT)


@dataclass(frozen=True)
class History:
    """The entries, the newest last, and which revisions the objects of the record are of: 0 where it has none.

    A record that an older version of the collection has written has no revisions.
    """

    entries: tuple[Entry, ...] = ()
    current: int = 0
    previous: int = 0

    @property
    def next_revision(self) -> int:
        """The number of the next entry."""
        return max([self.current, self.previous, *(entry.revision for entry in self.entries)]) + 1

    def find(self, revision: int) -> Entry | None:
        """Return an entry, None where there is none of that number, or no longer."""
        return next((entry for entry in self.entries if entry.revision == revision), None)

    def with_entry(self, entry: Entry) -> "History":
        """Return the history with one more entry, and without the oldest where there are too many."""
        entries = [*self.entries, entry][-MOST_ENTRIES:]
        sizes = [len(json.dumps(each.as_dict())) for each in entries]
        while sum(sizes) > LARGEST:
            del entries[0], sizes[0]
        return History(tuple(entries), self.current, self.previous)

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Read what as_dict() has written.

        A later version may have written more: what is not known here is left out.

        :raises (KeyError, TypeError): nothing of the kind was written.
        """
        known = {each.name for each in fields(Entry)}
        entries = tuple(
            Entry(**{key: value for key, value in entry.items() if key in known}) for entry in content["entries"]
        )
        return cls(entries, content["current"], content["previous"])


def inventory_commit(directory: str) -> tuple[str, bool]:
    """Return the Git commit that an inventory is of, and whether it has changes that are not committed.

    Where it lies in no repository, or Git is not there or refuses the directory, the commit is empty.
    """
    if not directory:
        return "", False
    try:
        commit = _git(directory, "rev-parse", "--verify", "HEAD").strip()
        return commit, bool(_git(directory, "status", "--porcelain", "--", ".").strip())
    except (OSError, subprocess.SubprocessError):
        return "", False


def _git(directory: str, *arguments: str) -> str:
    # Nothing of the environment but what Git needs: it may hold passwords, or another repository (GIT_DIR)
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    # It neither writes to the repository nor starts a program that the repository names
    options = ["--no-optional-locks", "-c", "core.fsmonitor=false"]
    ended = subprocess.run(  # noqa: S603
        ["git", *options, *arguments],  # noqa: S607
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=GIT_TIMEOUT,
        check=True,
    )
    return ended.stdout


@cache
def collection_version() -> str:
    """Return the version of this collection: of an installed one, or of a checkout."""
    try:
        installed = COLLECTION / "MANIFEST.json"
        if installed.is_file():
            return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
        return str(yaml_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""
