# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of a release, for people and for programs."""

from dataclasses import dataclass
from typing import Any

from ..api.connection import Connection
from ..objects.owner import Owner
from ..release.history import FAILED, ROLLED_BACK, SUCCEEDED, TEARDOWN, Entry
from ..release.record import ReleaseRecord
from ..text.text_table import aligned

HEADING = ["REVISION", "WHEN", "WHO", "WHAT", "OUTCOME", "COMMIT", "CHANGES", "REASON"]
OUTCOMES = {SUCCEEDED: "succeeded", FAILED: "failed", ROLLED_BACK: "failed, rolled back"}
SHORT_COMMIT = 12  # characters
NAMED = 3  # changed objects that the table names


@dataclass(frozen=True)
class HistoryReport:
    """What is recorded. ``present`` and ``previous`` are revisions whose objects are kept, 0 for none."""

    namespace: str
    server: str
    present: int
    previous: int
    entries: list[Entry]

    def as_dict(self) -> dict[str, Any]:
        """For programs: the newest entry first."""
        return {
            "namespace": self.namespace,
            "server": self.server,
            "present": self.present,
            "previous": self.previous,
            "entries": [entry.as_dict() for entry in self.entries],
        }

    def as_text(self) -> list[str]:
        """The same for people, by lines."""
        if not self.entries:
            return [f"No history is recorded in the namespace {self.namespace}."]
        lines = aligned([HEADING, *map(_row, self.entries)])
        lines += [f"Revision {entry.revision} failed: {entry.cause}" for entry in self.entries if entry.cause]
        lines += [
            f"Revision {entry.revision} is not of its commit alone, but also of {beside}"
            for entry in self.entries
            for beside in [_beside(entry)]
            if beside
        ]
        lines.append("")
        lines.append(f"Present release: {_revision(self.present)}. Kept to go back to: {_revision(self.previous)}.")
        if any(entry.dirty for entry in self.entries):
            lines.append("+ after a commit: the inventory had changes that were not committed.")
        return lines


def read_history(connection: Connection, owner: Owner) -> HistoryReport:
    """Read the history of the release of *owner*.

    :raises ApplyError: when the record cannot be read, or is not one.
    """
    releases = ReleaseRecord(connection, owner).read()
    return HistoryReport(
        owner.namespace,
        connection.host,
        releases.history.current if releases.current is not None else 0,
        releases.history.previous if releases.previous is not None else 0,
        list(releases.history.entries[::-1]),
    )


def message(entry: Entry, target: str, namespace: str) -> list[str]:
    """Tell of a run that has just ended, by lines."""
    commit = f", commit {_commit(entry)}" if entry.commit else ""
    lines = [
        f"Agent Smith, {target} (namespace {namespace}): {_action(entry)} {OUTCOMES[entry.outcome]}",
        f"Revision {entry.revision} by {entry.by} at {entry.at}{commit}",
    ]
    if entry.reason:
        lines.append(f"Reason: {entry.reason}")
    if beside := _beside(entry):
        lines.append(f"Beside the inventory: {beside}")
    if entry.changes:
        lines.append(f"Changes: {_changes(entry)}")
    if entry.images and entry.action != TEARDOWN:
        lines.append(f"Images: {', '.join(entry.images)}")
    if entry.cause:
        lines.append(f"Cause: {entry.cause}")
    return lines


def _row(entry: Entry) -> list[str]:
    return [
        str(entry.revision),
        entry.at,
        entry.by,
        _action(entry),
        OUTCOMES[entry.outcome],
        _commit(entry) or "-",
        _changes(entry) or "-",
        entry.reason or "-",
    ]


def _action(entry: Entry) -> str:
    """Return what was run. A rollback within a record of an older version of the collection has no revisions."""
    if entry.from_release and entry.to_release:
        return f"{entry.action} from {entry.from_release} to {entry.to_release}"
    return entry.action


def _beside(entry: Entry) -> str:
    """Return what decided about a run beside the commit of its inventory: only with it, it can be done again."""
    more = [f"{entry.more_extra_variables} more"] if entry.more_extra_variables else []
    options = {
        "-e": [*entry.extra_variables, *more],
        "--tags": entry.tags,
        "--skip-tags": entry.skip_tags,
    }
    return "; ".join(f"{option} {', '.join(names)}" for option, names in options.items() if names)


def _commit(entry: Entry) -> str:
    return entry.commit[:SHORT_COMMIT] + ("+" if entry.dirty else "")


def _changes(entry: Entry) -> str:
    named = [f"{change['kind']} {change['name']} {change['result']}" for change in entry.changes[:NAMED]]
    more = len(entry.changes) - len(named) + entry.more_changes
    return ", ".join([*named, *([f"{more} more"] if more else [])])


def _revision(number: int) -> str:
    return f"revision {number}" if number else "none"
