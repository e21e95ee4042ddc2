# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases that a rollback can go back to, and the history of the release, in a Secret of the namespace.

The releases are the last good one and the one before. Their objects are kept whole, Secrets included, because a release
is restored with the values that it was good with (docs/decisions, 0022, says how they are protected).
"""

import base64
import binascii
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ..api.connection import APPLY_PATCH, Connection
from ..apply.write_permissions import VERBS, Need, Permission
from ..objects.equality import same_in_json
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.images import container_images
from ..objects.labels import annotations_of
from ..objects.managed_fields import FIELD_MANAGER, apply_query
from ..objects.owner import Owner
from .history import Account, Entry, History

RECORD_TYPE = f"{FIELD_MANAGER}/release.v1"
RECORDED_BY = f"{FIELD_MANAGER}/recorded-by"
RECORDED_AT = f"{FIELD_MANAGER}/recorded-at"
ROLLED_BACK = f"{FIELD_MANAGER}/rolled-back"
UNFINISHED = f"{FIELD_MANAGER}/unfinished"
# The keys of the Secret
CURRENT, PREVIOUS, HISTORY = "current", "previous", "history"
# What the API server takes of a Secret (https://kubernetes.io/docs/concepts/configuration/secret/).
LARGEST = 1024 * 1024  # bytes

Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Releases:
    """The objects of the last good release and of the one before it; None where there was none.

    ``rolled_back``: whether a rollback on request, not a deploy, has made the last good release that.
    ``unfinished``: whether changes of a failed run stayed in the cluster, among them perhaps objects of any kind.
    ``history``: what was done to the release so far.
    """

    current: Objects | None = None
    previous: Objects | None = None
    recorded_by: str = ""
    recorded_at: str = ""
    rolled_back: bool = False
    unfinished: bool = False
    history: History = field(default_factory=History)

    def followed_by(self, objects: Objects, complete: bool) -> "Releases":
        """Return what is to be recorded once *objects* have proved good.

        :param complete: whether they are a whole release. Those of a part replace their namesakes in the last good
            one; where there is none, a part alone is nothing to go back to.
        """
        if not complete:
            if self.current is None:
                return self
            objects = merged(self.current, objects)
        unfinished = self.unfinished and not complete  # what it left is pruned with a whole release
        if self.current is not None and same_in_json(_by_identity(self.current), _by_identity(objects)):
            return self if self.unfinished == unfinished else replace(self, unfinished=unfinished)
        history = replace(self.history, current=self.history.next_revision, previous=self.history.current)
        return Releases(objects, self.current, unfinished=unfinished, history=history)

    def swapped(self) -> "Releases":
        """Return what is to be recorded once the previous release is back."""
        history = replace(self.history, current=self.history.previous, previous=self.history.current)
        return Releases(self.previous, self.current, rolled_back=True, history=history)

    def told(self, account: Account, outcome: str, revision: int) -> tuple["Releases", Entry]:
        """Return the same with one more entry in the history, and the entry.

        :param revision: its number, which was the next one before the run.
        """
        images = container_images(self.current or [])
        entry = account.entry(revision, self.history.current, outcome, images)
        return replace(self, history=self.history.with_entry(entry)), entry

    def bodies(self) -> Objects:
        """Return all recorded objects."""
        return [*(self.current or []), *(self.previous or [])]


class ReleaseRecord:
    """The Secret that holds the releases of *owner*."""

    def __init__(self, connection: Connection, owner: Owner) -> None:
        self._connection = connection
        self._owner = owner
        self.identity = Identity("v1", "Secret", owner.namespace, f"{owner.instance}-release")
        self._path = f"/api/v1/namespaces/{owner.namespace}/secrets/{self.identity.name}"

    def needs(self, before: Releases) -> list[Need]:
        """Return what it takes to write the record, where *before* is what it holds."""
        verbs = VERBS["created" if before.current is None else "updated"]
        why = ", the record of the last good release"
        return [Need(Permission.on(verb, self.identity, "secrets"), self.identity, why) for verb in verbs]

    def read(self) -> Releases:
        """Read what is recorded.

        :raises ApplyError: when the Secret cannot be read, is somebody else's, or does not hold what we wrote.
        """
        try:
            live = self._connection.find(self._path)
        except ApiError as error:
            raise ApplyError(
                f"{self.identity}, the record of the last good release, cannot be read ({error.status}): {error}"
            ) from None
        if live is None:
            return Releases()
        if live.get("type") != RECORD_TYPE:
            raise ApplyError(
                f"{self.identity} has the name of the record of the last good release, but its type is "
                f"{live.get('type')}, not {RECORD_TYPE}. So it belongs to somebody else. Rename it, or give this "
                "release another agentsmith_instance."
            )
        data, annotations = live.get("data") or {}, annotations_of(live)
        return Releases(
            self._unpacked(data.get(CURRENT)),
            self._unpacked(data.get(PREVIOUS)),
            annotations.get(RECORDED_BY, ""),
            annotations.get(RECORDED_AT, ""),
            annotations.get(ROLLED_BACK) == "true",
            annotations.get(UNFINISHED) == "true",
            self._history(data.get(HISTORY)),
        )

    def write(self, releases: Releases, holder: str) -> None:
        """Record *releases*, those that were not recorded before in the name of *holder*.

        :raises ApplyError: when they are too large, or the server refuses them.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # Of a release that is recorded already, its own date stays
        recorded = replace(
            releases, recorded_by=releases.recorded_by or holder, recorded_at=releases.recorded_at or now
        )
        try:
            self._apply(recorded)
        except ApiError as error:
            raise ApplyError(
                f"The release works, but {self.identity}, its record, was refused ({error.status}): {error}. If the "
                "next deploy fails, it rolls back to the release before this one."
            ) from None

    def note(self, releases: Releases) -> None:
        """Record what became of a run that has brought no other release: its entry, and what it left unfinished.

        :raises ApplyError: when the server refuses it.
        """
        try:
            self._apply(releases)
        except ApiError as error:
            raise ApplyError(f"{self.identity}, the record, was refused ({error.status}): {error}") from None

    def leave(self, history: History) -> None:
        """Give up all but the history, once the release is gone. Without its labels, it is no part of a release.

        :raises ApplyError: when the server refuses it.
        """
        try:
            self._apply(Releases(history=replace(history, current=0, previous=0)), gone=True)
        except ApiError as error:
            raise ApplyError(f"{self.identity}, the history, was refused ({error.status}): {error}") from None

    def _apply(self, releases: Releases, gone: bool = False) -> None:
        annotations = {**self._owner.annotations}
        if releases.current is not None:
            annotations |= {RECORDED_BY: releases.recorded_by, RECORDED_AT: releases.recorded_at}
        for name, is_set in ((ROLLED_BACK, releases.rolled_back), (UNFINISHED, releases.unfinished)):
            if is_set:
                annotations[name] = "true"
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.identity.name,
                "namespace": self.identity.namespace,
                "labels": {**self._owner.labels} if gone else self._owner.engine_labels(),
                "annotations": annotations,
            },
            "type": RECORD_TYPE,
            "data": _fitting(releases),
        }
        query = apply_query(dry_run=False, force=True)
        self._connection.request("PATCH", self._path, query=query, body=body, content_type=APPLY_PATCH)

    def _history(self, packed: str | None) -> History:
        content = self._unpacked(packed)
        try:
            return History() if content is None else History.of(content)
        except (KeyError, TypeError):
            raise self._not_ours() from None

    def _unpacked(self, packed: str | None) -> Any:
        if packed is None:
            return None
        try:
            return json.loads(gzip.decompress(base64.b64decode(packed, validate=True)))
        except (binascii.Error, ValueError, OSError, EOFError):
            raise self._not_ours() from None

    def _not_ours(self) -> ApplyError:
        return ApplyError(
            f"{self.identity} holds no release that this collection recorded. Delete it: the next deploy records "
            "the release again. Until then no rollback is possible."
        )


def merged(objects: Sequence[dict[str, Any]], newer: Sequence[dict[str, Any]]) -> Objects:
    """Return *objects* with those of *newer* in the place of their namesakes, or after them."""
    return list({**_by_identity(objects), **_by_identity(newer)}.values())


def _by_identity(objects: Sequence[dict[str, Any]]) -> dict[Identity, dict[str, Any]]:
    return {Identity.of(body): body for body in objects}


def _fitting(releases: Releases) -> dict[str, str]:
    """Return what the Secret holds of *releases*: all of it, where it takes that much."""
    contents = ((CURRENT, releases.current), (PREVIOUS, releases.previous), (HISTORY, releases.history))
    packed = {name: _packed(content) for name, content in contents if content not in (None, History())}
    # The one before is a convenience; the last good one is what a failed deploy goes back to.
    for name in (PREVIOUS, HISTORY):
        if sum(map(len, packed.values())) > LARGEST:
            packed.pop(name, None)
    return packed


def _packed(content: Objects | History) -> str:
    # No time of day in it: equal releases make equal records.
    text = json.dumps(content.as_dict() if isinstance(content, History) else content)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
