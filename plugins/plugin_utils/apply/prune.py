# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a release is live and no longer wanted. Reads only: the objects that it returns are yet to be deleted.

What the release still needs by its name is not deleted but handed over: somebody else fills it from now on, as
cert-manager does with a Secret that a Certificate names.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.discovery import Discovery
from ..objects.errors import ApplyError
from ..objects.identity import Identity
from ..objects.kinds import CERTIFICATE, RENDERED_KINDS, kind_of, kind_of_body
from ..objects.labels import OWN_LABELS, is_engines, labels_of
from ..objects.managed_fields import as_text, value_at
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, awaits_release, is_going
from ..objects.references import referenced
from .live_lists import Lists
from .owned_objects import find_owned


def plan_prune(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    owner: Owner,
    bodies: Sequence[dict[str, Any]],
    once_stated: Sequence[dict[str, Any]] = (),
    every_kind: bool = False,
    lists: Lists | None = None,
) -> tuple[list[PlannedObject], list[str]]:
    """Find the objects of *owner* that are not among *bodies*, the desired ones; and say what could not be looked at.

    Costs one request a kind, and one for each object that is found.

    :param once_stated: objects of earlier releases, whose kinds are looked through besides those of *bodies* and those
        that this collection renders.
    :param every_kind: whether to look through the other kinds of the server as well, as nobody knows which a run that
        failed has made.
    :param lists: what of the owner was listed already.
    :raises ApplyError: when nothing is desired of a whole release, or a kind that the release has, or had, cannot be
        listed.
    """
    if not bodies and not owner.component:
        raise ApplyError(
            f"The list of objects is empty: prune would delete everything that the release {owner.instance} has in the "
            f"namespace {owner.namespace}. Nothing was changed. To remove a release, use agentsmith.platform.teardown."
        )
    needed = {name for body in bodies for name in referenced(body)}
    identities = [Identity.of(body) for body in bodies]
    wanted = {identity.unversioned for identity in identities}
    desired_kinds = {(identity.group, identity.kind) for identity in identities}
    stated_kinds = {(body.group, body.kind) for body in map(Identity.of, once_stated)}
    of_release = desired_kinds | stated_kinds
    kinds = set(filter(_is_pruned, RENDERED_KINDS | of_release))
    found = find_owned(connection, executor, discovery, owner, kinds, of_release, lists)
    broken = dict(found.broken)
    others: list[dict[str, Any]] = []
    if every_kind:
        rest = set(filter(_is_pruned, discovery.kinds())) - kinds
        # One API may show the objects of another, as OpenShift's has Roles: what has the name of an object of the same
        # kind is taken for that one.
        known = {_name(live) for live in found.objects}
        passed = find_owned(connection, executor, discovery, owner, rest)
        broken.update(passed.broken)
        others = [live for live in passed.objects if _name(live) not in known]
    surplus = [
        live
        for live in [*found.objects, *others]
        if Identity.of(live).unversioned not in wanted and not is_engines(live)
    ]

    def examine(live: dict[str, Any]) -> PlannedObject | None:
        path = discovery.path(Identity.of(live))
        whole = connection.find(path)
        # A run that died has left this finalizer
        if whole is None or (is_going(whole) and not awaits_release(whole)):
            return None
        if Identity.of(live).unversioned in needed:
            return PlannedObject(live, path, whole, "updated", fields=_own_labels(whole), handed_over=True)
        fills = filled_by({**whole, "apiVersion": live["apiVersion"], "kind": live["kind"]})
        stays = fills and fills.unversioned in needed | wanted
        return PlannedObject(live, path, whole, "deleted", fills=fills if stays else None)

    # Who may not list a kind has not applied any of it either, unless the release has objects of that kind.
    blind = sorted(kind for _group, kind in set(found.denied) & desired_kinds)
    warnings = [f"Objects of the kind {kind} cannot be listed, so none of them was pruned." for kind in blind]
    warnings += [
        f"Objects of the kind {kind} cannot be listed, so none of them was pruned: {reason}"
        for (_group, kind), reason in broken.items()
    ]
    found_surplus = [item for item in concurrently(executor, examine, surplus) if item]
    warnings += [
        f"{item.identity} is no longer an object of the release, which still names it. So it stays, without the labels "
        "of the release, for whoever fills it now."
        for item in found_surplus
        if item.handed_over
    ]
    return found_surplus, warnings


def _own_labels(live: dict[str, Any]) -> list[str]:
    return [as_text(("metadata", "labels", name)) for name in OWN_LABELS if name in labels_of(live)]


def filled_by(live: Mapping[str, Any]) -> Identity | None:
    """Return the Secret that cert-manager fills for a Certificate."""
    name = value_at(live, ("spec", "secretName"))
    if kind_of_body(live).key != CERTIFICATE or not name:
        return None
    return Identity("v1", "Secret", live["metadata"].get("namespace") or "", name)


def _is_pruned(kind: tuple[str, str]) -> bool:
    return kind_of(*kind).is_pruned


def _name(live: dict[str, Any]) -> tuple[str, str, str]:
    return live["kind"], live["metadata"].get("namespace", ""), live["metadata"]["name"]
