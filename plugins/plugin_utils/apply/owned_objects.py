# SPDX-License-Identifier: GPL-3.0-or-later
"""Which live objects belong to a release: those that carry its labels, whether the release still wants them or not.

Lists hold metadata only (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Metadata only"): no value of a
Secret travels, and a list costs little.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.discovery import Discovery
from ..objects.errors import ApiError
from ..objects.kinds import RENDERED_KINDS, kind_of
from ..objects.owner import Owner
from ..text.one_line import one_line

# An aggregated server may know whole objects only.
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

REASON_WIDTH = 300  # characters


@dataclass
class Found:
    """``objects``: apiVersion, kind and metadata of each. ``denied``: what we may not list, by group and kind.

    ``broken``: what cannot be listed because something else in the cluster is broken, and what the server says of it.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    denied: list[tuple[str, str]] = field(default_factory=list)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def unseen(self) -> list[str]:
        """Return what cannot be listed, for people."""
        broken = [f"{kind} ({reason})" for (_group, kind), reason in self.broken.items()]
        return list(dict.fromkeys([*(kind for _group, kind in self.denied), *broken]))


def find_owned(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    owner: Owner,
    kinds: Collection[tuple[str, str]] | None = RENDERED_KINDS,
    needed: Collection[tuple[str, str]] = (),
    listed: Mapping[tuple[str, str], list[dict[str, Any]]] | None = None,
) -> Found:
    """List the objects of *owner*, without its Namespace. Costs one request a kind.

    :param kinds: by group and kind; one that the server does not serve has no objects. None stands for all kinds.
    :param needed: as in :func:`list_metadata`.
    :param listed: as in :func:`list_metadata`, with the labels of the owner.
    """
    query = {"labelSelector": owner.selector}
    found = list_metadata(connection, executor, discovery, owner.namespace, kinds, query, needed=needed, listed=listed)
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
    needed: Collection[tuple[str, str]] = (),
    listed: Mapping[tuple[str, str], list[dict[str, Any]]] | None = None,
) -> Found:
    """List the objects in a namespace, and those in none, of the *kinds* that the server serves and has lists of.

    :param cluster_scoped: whether kinds that live in no namespace are among them.
    :param needed: by group and kind, those without which the caller cannot go on. Another one that the server fails to
        list is passed over at once: its conversion webhook may be down, or the server behind an aggregated API.
    :param listed: by group and kind, what was listed already.
    :raises ApiError: when one of the needed kinds cannot be listed for another reason than that we may not.
    """
    found = Found()
    asked = [
        (group, kind, api_version)
        for (group, kind), (api_version, resource) in sorted(discovery.kinds().items())
        if kind_of(group, kind).is_listed
        and (kinds is None or (group, kind) in kinds)
        and (resource.namespaced or cluster_scoped)
        and api_version not in discovery.silent
    ]

    def read(served: tuple[str, str, str]) -> list[dict[str, Any]] | ApiError:
        group, kind, api_version = served
        if listed and (group, kind) in listed:
            return [_metadata(api_version, kind, item) for item in listed[group, kind]]
        path = discovery.collection(api_version, kind, namespace)
        is_needed = (group, kind) in needed
        patience = None if is_needed else 0.0
        try:
            # Without a limit the server also looks at other namespaces, and so tells that a kind is broken: the removal
            # of a namespace would wait for it
            answer = connection.request("GET", path, query=query, accept=METADATA_LIST, patience=patience)
        except ApiError as error:
            if error.status in (404, 405):  # an aggregated server that promises more than it serves
                return []
            if is_needed and error.status != 403:
                message = f"{kind} of {api_version} cannot be listed, and the release may have objects of it: {error}"
                raise ApiError(error.status, error.reason, message) from None
            return error
        return [_metadata(api_version, kind, item) for item in answer.body.get("items") or []]

    for (group, kind, _version), objects in zip(asked, concurrently(executor, read, asked), strict=True):
        if not isinstance(objects, ApiError):
            found.objects.extend(objects)
        elif objects.status == 403:
            found.denied.append((group, kind))
        else:
            found.broken[group, kind] = one_line(str(objects), REASON_WIDTH)
    if kinds is None:
        for api_version in discovery.silent:
            found.broken[api_version.rpartition("/")[0], f"all of {api_version}"] = "its server does not answer"
    return found


def _metadata(api_version: str, kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": item["metadata"]}
