# SPDX-License-Identifier: GPL-3.0-or-later
"""Which live objects belong to a release: those that carry its labels, whether the release still wants them or not.

Lists hold metadata only (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Metadata only"): no value of a
Secret travels, and a list costs little.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.discovery import Discovery
from ..objects.errors import ApiError, ApplyError
from ..objects.kinds import RENDERED_KINDS, kind_of
from ..objects.owner import Owner

# An aggregated server may know whole objects only.
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


@dataclass
class Found:
    """``objects``: apiVersion, kind and metadata of each. ``denied``: what cannot be listed, by group and kind."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    denied: list[tuple[str, str]] = field(default_factory=list)

    @property
    def denied_kinds(self) -> list[str]:
        """Return the kinds that cannot be listed, for people."""
        return list(dict.fromkeys(kind for _group, kind in self.denied))


def find_owned(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    owner: Owner,
    kinds: Collection[tuple[str, str]] | None = RENDERED_KINDS,
    best_effort: bool = False,
) -> Found:
    """List the objects of *owner*, without its Namespace. Costs one request a kind.

    :param kinds: by group and kind; one that the server does not serve has no objects. None stands for all kinds.
    :param best_effort: as in :func:`list_metadata`.
    """
    query = {"labelSelector": owner.selector}
    found = list_metadata(connection, executor, discovery, owner.namespace, kinds, query, best_effort=best_effort)
    found.objects = [live for live in found.objects if owner.has(live)]
    return found


def list_metadata(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    namespace: str,
    kinds: Collection[tuple[str, str]] | None = None,
    query: Mapping[str, str] | None = None,
    cluster_scoped: bool = True,
    best_effort: bool = False,
) -> Found:
    """List the objects in a namespace, and those in none, of the *kinds* that the server serves and has lists of.

    :param cluster_scoped: whether kinds that live in no namespace are among them.
    :param best_effort: whether a kind that cannot be listed, for whatever reason, is passed over at once.
    """
    found = Found()
    asked = [
        (api_version, kind, resource.stale)
        for (group, kind), (api_version, resource) in sorted(discovery.kinds().items())
        if kind_of(group, kind).is_listed
        and (kinds is None or (group, kind) in kinds)
        and (resource.namespaced or cluster_scoped)
    ]

    def read(served: tuple[str, str, bool]) -> list[dict[str, Any]] | None:
        api_version, kind, stale = served
        if stale:
            return None
        try:
            path = discovery.collection(api_version, kind, namespace)
            answer = connection.request("GET", path, query=query, accept=METADATA_LIST, repeat=not best_effort)
        except ApplyError as error:
            if best_effort:
                return None
            if not isinstance(error, ApiError):
                raise
            if error.status == 403:
                return None
            if error.status in (404, 405):  # an aggregated server that promises more than it serves
                return []
            raise
        items = answer.body.get("items") or []
        return [{"apiVersion": api_version, "kind": kind, "metadata": item["metadata"]} for item in items]

    for (api_version, kind, _stale), objects in zip(asked, concurrently(executor, read, asked), strict=True):
        if objects is None:
            found.denied.append((api_version.rpartition("/")[0], kind))
        else:
            found.objects.extend(objects)
    return found
