# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of a support bundle: texts that are masked as the last thing before they are written, and what was done.

Everything goes through one place, names of files included, so that no section can forget it.
"""

import io
import json
import re
import tarfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..secrets.credential_patterns import PATTERNS
from ..secrets.redaction import MASK, SHORTEST_IN_BASE64, SHORTEST_MASKED, Redactor
from .known_secrets import KnownSecrets
from .mask import Mask

MANIFEST = "manifest.json"
ENCODINGS = [
    "plain",
    "each long line of a value",
    "base64, alone or within a longer one, in both alphabets",
    "percent-encoded, as in a URL",
    "escaped in JSON, and in JSON within JSON",
    "the password in the address of a Redis, and in the logins of registries",
]
_FORMAT = 1
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Entry:
    """A file of the archive. ``cut``: what was left out of it.

    ``masked_values``, ``masked_patterns``, ``masked_fields``: as Mask counts them.
    """

    path: str
    about: str
    bytes: int
    cut: str
    masked_values: int
    masked_patterns: int
    masked_fields: int


@dataclass(frozen=True)
class Source:
    """What a file is made of. It is masked first: a text that is laid out for people may have only part of a value."""

    about: str
    content: Any
    as_text: Callable[[Any], str]
    cut: str


def as_json(content: Any) -> str:
    """Return *content* as a file of JSON."""
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


class BundleArchive:
    """Collects what is to be in the archive, from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: dict[tuple[str, ...], Source] = {}
        self._not_read: dict[str, str] = {}

    def add(
        self,
        path: tuple[str, ...],
        about: str,
        content: Any,
        as_text: Callable[[Any], str] = as_json,
        cut: str = "",
    ) -> None:
        """Add a file.

        :param path: its directories and its name, of names in the cluster.
        :param as_text: makes the text of the masked content.
        """
        with self._lock:
            self._sources[path] = Source(about, content, as_text, cut)

    def not_read(self, what: str, why: str) -> None:
        """Note what the bundle lacks."""
        with self._lock:
            self._not_read[what] = why

    def content(self, *path: str) -> Any:
        """Return what a file was added with, None if it was not."""
        with self._lock:
            source = self._sources.get(path)
        return source.content if source else None

    def contents_under(self, *directory: str) -> dict[str, Any]:
        """Return what the files of a directory were added with, by their paths."""
        with self._lock:
            found = sorted(self._sources.items(), key=lambda entry: entry[0])
        return {"/".join(path): source.content for path, source in found if path[: len(directory)] == directory}

    @property
    def top_names(self) -> frozenset[str]:
        """The files and directories at its top."""
        with self._lock:
            return frozenset({MANIFEST, *(path[0] for path in self._sources)})

    @property
    def lacks(self) -> dict[str, str]:
        """What the bundle lacks, and why."""
        with self._lock:
            return dict(self._not_read)

    def written(
        self, directory: str, redactor: Redactor, known: KnownSecrets, facts: dict[str, Any]
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the archive, and the manifest that is in it.

        :param directory: the one that all files lie in, so that bundles are unpacked side by side.
        :param facts: what the manifest says beside.
        """
        stream = io.BytesIO()
        top = _file_name(directory, redactor)
        created = facts["created_seconds"]
        with self._lock:
            sources, not_read = dict(self._sources), {**known.not_read, **self._not_read}
        entries: list[Entry] = []
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            taken: set[str] = {MANIFEST}
            for parts, source in sorted(sources.items(), key=lambda entry: entry[0]):
                path = _free("/".join(_file_name(part, redactor) for part in parts), taken)
                mask = Mask(redactor)
                # Once more as a text: what stands side by side in it may be a value
                text = mask.of(source.as_text(mask.of(source.content)))
                size = len(text.encode())
                counts = (mask.values, mask.patterns, mask.fields)
                entries.append(Entry(path, source.about, size, source.cut, *counts))
                _write(archive, f"{top}/{path}", text, created)
            manifest = {
                "format": _FORMAT,
                **{name: value for name, value in facts.items() if name != "created_seconds"},
                "files": [asdict(entry) for entry in entries],
                "masking": {
                    "secrets": known.names,
                    "encodings": ENCODINGS,
                    "patterns": list(PATTERNS),
                    "shortest_value": SHORTEST_MASKED,
                    "shortest_in_base64": SHORTEST_IN_BASE64,
                    "not_masked": [{"value": place, "why": why} for place, why in sorted(known.not_masked.items())],
                },
                "not_read": [{"what": what, "why": why} for what, why in sorted(not_read.items())],
            }
            mask = Mask(redactor)
            shown = mask.of(as_json(mask.of(manifest)))
            _write(archive, f"{top}/{MANIFEST}", shown, created)
        written: dict[str, Any] = json.loads(shown)
        return stream.getvalue(), written


def _write(archive: tarfile.TarFile, path: str, text: str, created: int) -> None:
    content = text.encode()
    member = tarfile.TarInfo(path)
    member.size, member.mtime, member.mode = len(content), created, 0o600
    archive.addfile(member, io.BytesIO(content))


def _file_name(part: str, redactor: Redactor) -> str:
    """Return a name that no program takes for a path, masked."""
    masked = str(Mask(redactor).of(part)).replace(MASK, "masked")
    return _NO_FILE_NAME.sub("_", masked).lstrip(".")[:120] or "_"


def _free(path: str, taken: set[str]) -> str:
    """Return *path*, with a number if two names have become the same."""
    stem, dot, suffix = path.rpartition(".")
    number, free = 1, path
    while free in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}" if dot else f"{path}-{number}"
    taken.add(free)
    return free
