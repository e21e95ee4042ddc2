# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of the app that read a file, each with its column of the table of keys."""

from dataclasses import dataclass, replace
from typing import Any

from .schema import ROOT, Key, ListOf, MapOf, Record, Unread


@dataclass(frozen=True)
class Release:
    """One release of the app.

    Attributes:
        name: as `agentsmith_app` names it.
        root: its table of keys.
        switch: the key that switches caching and compaction.
        has_presets: whether its pipelines are its own, and `pipelines` of the file counts for nothing.
    """

    name: str
    root: Record
    switch: str = "enabled"
    has_presets: bool = False

    @property
    def project(self) -> Record:
        """The table of one project."""
        record: Record = self.root.keys["projects"].kind.item
        return record


def as_newer(record: Record) -> Record:
    """The second column: the same record as release 0.9.2 reads it."""
    keys = {name: _key(key) for name, key in (record.keys | record.newer).items()}
    later = {name: text for name, text in record.later.items() if name not in record.newer}
    if keys == record.keys and later == record.later:
        return record
    return replace(record, keys=keys, later=later, newer={})


def _key(key: Key) -> Key:
    if isinstance(key.newer, str):
        return replace(key, kind=Unread(key.kind), required=False, newer=None)
    read = key.newer or key
    return replace(read, kind=_kind(read.kind), newer=None)


def _kind(kind: Any) -> Any:
    if isinstance(kind, Record):
        return as_newer(kind)
    if isinstance(kind, MapOf | ListOf):
        item = _kind(kind.item)
        # The same object, if nothing changes: SECRETS is known by its identity.
        return kind if item is kind.item else replace(kind, item=item)
    return kind


BE4BFFA1 = Release("be4bffa1", ROOT)
RELEASE_0_9_2 = Release("0.9.2", as_newer(ROOT), switch="is_enabled", has_presets=True)
RELEASES = {release.name: release for release in (BE4BFFA1, RELEASE_0_9_2)}
