# SPDX-License-Identifier: GPL-3.0-or-later
"""The live objects of a release from one LIST a kind, instead of one GET an object.

A list finds objects by their labels. What it lacks is asked for by its name: it may be there without our labels.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.discovery import Discovery
from ..objects.errors import ApiError
from ..objects.identity import Identity
from ..objects.kinds import kind_of
from ..objects.owner import Owner

PAGE = 500  # objects, as kubectl has it

Lists = Mapping[tuple[str, str], list[dict[str, Any]]]
"""By group and kind: all objects with the labels of the release, whole."""


def list_live(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    owner: Owner,
    bodies: Sequence[dict[str, Any]],
) -> Lists:
    """List the kinds that *bodies* are of and that live in a namespace. Costs one request a kind and 500 objects.

    A kind that cannot be listed is left out: who may not list Secrets may still get those of the release. Secrets are
    left out in any case, as with them came the record of the release, which holds more than all of it.
    """
    stated = {(identity.group, identity.kind): identity.api_version for identity in map(Identity.of, bodies)}
    served = discovery.kinds()
    asked = [
        key
        for key, api_version in sorted(stated.items())
        if key != ("", "Secret")
        and kind_of(*key).is_listed
        and key in served
        and served[key][0] == api_version  # one of another version would be compared in the wrong form
        and served[key][1].namespaced
    ]

    def read(key: tuple[str, str]) -> list[dict[str, Any]] | None:
        api_version, kind = stated[key], key[1]
        path = discovery.collection(api_version, kind, owner.namespace)
        try:
            items = list_items(connection, path, {"labelSelector": owner.selector})
        except ApiError:  # what the matter is, reading the objects one by one tells
            return None
        # A list states the kind once, for all of its items
        return [{"apiVersion": api_version, "kind": kind, **item} for item in items]

    found = zip(asked, concurrently(executor, read, asked), strict=True)
    return {key: items for key, items in found if items is not None}


def by_identity(lists: Lists) -> dict[Identity, dict[str, Any]]:
    """Return the objects of lists by what names them."""
    return {Identity.of(item): item for items in lists.values() for item in items}


def list_items(connection: Connection, path: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a list has, page by page: the server need not hold an answer of thousands of objects.

    What fails is not tried again: the caller has another way.

    :raises ApiError: when it cannot be listed.
    """
    items: list[dict[str, Any]] = []
    asked: dict[str, Any] = {**query, "limit": PAGE}
    while True:
        try:
            body = connection.request("GET", path, query=asked, patience=0.0).body
        except ApiError as error:
            if error.status != 410 or "continue" not in asked:
                raise
            items, asked = [], dict(query)  # the rest of that state of the cluster is gone: all of the present at once
            continue
        items += body.get("items") or []
        following = (body.get("metadata") or {}).get("continue")
        if not following:
            return items
        asked["continue"] = following
