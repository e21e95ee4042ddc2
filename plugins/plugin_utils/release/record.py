# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases that a rollback can go back to: the last good one and the one before, in a Secret of the namespace.

The objects are kept whole, Secrets included, because a release is restored with the values that it was good with
(docs/decisions, 0022, says how they are protected).
"""

import base64
import binascii
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..api.connection import APPLY_PATCH, Connection
from ..apply.write_permissions import VERBS, Need, Permission
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.labels import annotations_of
from ..objects.managed_fields import FIELD_MANAGER, apply_query
from ..objects.owner import Owner

RECORD_TYPE = f"{FIELD_MANAGER}/release.v1"
RECORDED_BY = f"{FIELD_MANAGER}/recorded-by"
RECORDED_AT = f"{FIELD_MANAGER}/recorded-at"
ROLLED_BACK = f"{FIELD_MANAGER}/rolled-back"
UNFINISHED = f"{FIELD_MANAGER}/unfinished"
# What the API server takes of a Secret (https://kubernetes.io/docs/concepts/configuration/secret/).
LARGEST = 1024 * 1024  # bytes

Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Releases:
    """The objects of the last good release and of the one before it; None where there was none.

    ``rolled_back``: whether a rollback on request, not a deploy, has made the last good release that.
    ``unfinished``: whether changes of a failed run stayed in the cluster, among them perhaps objects of any kind.
    """

    current: Objects | None = None
    previous: Objects | None = None
    recorded_by: str = ""
    recorded_at: str = ""
    rolled_back: bool = False
    unfinished: bool = False

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
        if self.current is not None and _by_identity(self.current) == _by_identity(objects):
            return self if self.unfinished == unfinished else replace(self, unfinished=unfinished)
        return Releases(objects, self.current, unfinished=unfinished)

    def swapped(self) -> "Releases":
        """Return what is to be recorded once the previous release is back."""
        return Releases(self.previous, self.current, rolled_back=True)

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
            self._unpacked(data.get("current")),
            self._unpacked(data.get("previous")),
            annotations.get(RECORDED_BY, ""),
            annotations.get(RECORDED_AT, ""),
            annotations.get(ROLLED_BACK) == "true",
            annotations.get(UNFINISHED) == "true",
        )

    def write(self, releases: Releases, holder: str) -> None:
        """Record *releases*, in the name of *holder*.

        :raises ApplyError: when they are too large, or the server refuses them.
        """
        packed = {
            name: _packed(objects)
            for name, objects in (("current", releases.current), ("previous", releases.previous))
            if objects is not None
        }
        if sum(map(len, packed.values())) > LARGEST:
            # The one before is a convenience; the last good one is what a failed deploy goes back to.
            packed.pop("previous", None)
        recorded_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        annotations = {**self._owner.annotations, RECORDED_BY: holder, RECORDED_AT: recorded_at}
        if releases.rolled_back:
            annotations[ROLLED_BACK] = "true"
        if releases.unfinished:
            # The last good release is still the one that was recorded then
            annotations |= {RECORDED_BY: releases.recorded_by, RECORDED_AT: releases.recorded_at, UNFINISHED: "true"}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.identity.name,
                "namespace": self.identity.namespace,
                "labels": self._owner.engine_labels(),
                "annotations": annotations,
            },
            "type": RECORD_TYPE,
            "data": packed,
        }
        query = apply_query(dry_run=False, force=True)
        try:
            self._connection.request("PATCH", self._path, query=query, body=body, content_type=APPLY_PATCH)
        except ApiError as error:
            raise ApplyError(
                f"The release works, but {self.identity}, its record, was refused ({error.status}): {error}. If the "
                "next deploy fails, it rolls back to the release before this one."
            ) from None

    def _unpacked(self, packed: str | None) -> Objects | None:
        if packed is None:
            return None
        try:
            objects: Objects = json.loads(gzip.decompress(base64.b64decode(packed, validate=True)))
        except (binascii.Error, ValueError, OSError, EOFError):
            raise ApplyError(
                f"{self.identity} holds no release that this collection recorded. Delete it: the next deploy records "
                "the release again. Until then no rollback is possible."
            ) from None
        return objects


def merged(objects: Sequence[dict[str, Any]], newer: Sequence[dict[str, Any]]) -> Objects:
    """Return *objects* with those of *newer* in the place of their namesakes, or after them."""
    return list({**_by_identity(objects), **_by_identity(newer)}.values())


def _by_identity(objects: Sequence[dict[str, Any]]) -> dict[Identity, dict[str, Any]]:
    return {Identity.of(body): body for body in objects}


def _packed(objects: Objects) -> str:
    # No time of day in it: equal releases make equal records.
    return base64.b64encode(gzip.compress(json.dumps(objects).encode(), mtime=0)).decode()
