# SPDX-License-Identifier: GPL-3.0-or-later
"""How the cluster differs from the release, and who made it differ. Reads, and asks by dry run in doubt; no writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import CONCURRENCY, Connection
from ..api.discovery import Discovery
from ..apply.owned_objects import find_owned
from ..apply.plan import plan_object, read_live
from ..objects.identity import Identity
from ..objects.labels import is_engines
from ..objects.managed_fields import (
    FIELD_MANAGER,
    LAST_APPLIED_ANNOTATION,
    FieldOwner,
    Path,
    as_text,
    owner_of,
    owners,
    recorded_fields,
    stated_beside,
    value_at,
)
from ..objects.namespace_origin import mark_created
from ..objects.normalisation import normalise_objects
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, is_going
from ..secrets.redaction import Redactor
from ..secrets.secret_digest import PENDING, SecretDigests
from .drift_report import CHANGED, EXTRA, MISSING, TERMINATING, DriftReport, FieldDrift, ObjectDrift

# What the cluster does of itself to objects, a number of replicas by an autoscaler for example, is nobody's change.
CONTROLLERS = frozenset({"kube-controller-manager", "kube-scheduler", "kube-apiserver"})
# Set by the server on every namespace, and recorded as a statement of whoever created it.
NAMESPACE_NAME = ("metadata", "labels", "kubernetes.io/metadata.name")


def find_drift(connection: Connection, objects: Sequence[Any], owner: Owner, redactor: Redactor) -> DriftReport:
    """Compare the objects of a release with the cluster. The report shows no value of a Secret.

    :param owner: whose further objects are extra ones.
    :raises ApplyError: when the server cannot be asked, or the objects are malformed.
    """
    bodies = normalise_objects(objects)
    redactor.learn(bodies)
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        discovery = Discovery.ask(connection, executor, [body["apiVersion"] for body in bodies])
        planned = _compare(connection, executor, discovery, bodies, redactor)
        found = find_owned(connection, executor, discovery, owner, kinds=None)
    drifted = [drift for item in planned for drift in _object_drift(item, redactor)]
    wanted = {item.identity.unversioned for item in planned}
    rendered = [Identity.of(live) for live in found.objects if not is_engines(live)]
    extra = [identity for identity in rendered if identity.unversioned not in wanted]
    drifted += [_described(identity, EXTRA) for identity in extra]
    return DriftReport(owner.namespace, connection.host, len(bodies), drifted, found.denied_kinds)


def _compare(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    bodies: list[dict[str, Any]],
    redactor: Redactor,
) -> list[PlannedObject]:
    digests = SecretDigests(bodies)
    live = read_live(connection, executor, discovery, bodies, digests.elsewhere)
    redactor.learn(live.values())
    mark_created(bodies, live)
    digests.learn(live)
    digests.stamp()

    def examine(body: dict[str, Any]) -> PlannedObject:
        identity = Identity.of(body)
        return plan_object(connection, discovery.path(identity), body, live[identity])

    return concurrently(executor, examine, bodies)


def _object_drift(item: PlannedObject, redactor: Redactor) -> list[ObjectDrift]:
    """Return the drift of one object, none where it has none."""
    if item.live is None:
        return [_described(item.identity, MISSING)]
    if is_going(item.live):
        return [_described(item.identity, TERMINATING)]
    wanted, live = redactor.presentable(item.desired), redactor.presentable(item.live)

    def field_drift(path: Path, owner: FieldOwner | None, restored: bool) -> FieldDrift:
        # Masked before anything is cut to the width of a screen: half a value would not be recognised.
        of_wanted, of_live = (redactor.tree(value_at(side, path)) for side in (wanted, live))
        who = asdict(owner) if owner else {}
        return FieldDrift(redactor.text(as_text(path)), of_wanted, of_live, restored, **who)

    fields = [
        field_drift(path, owner_of(item.live, path), restored=True)
        for changed in item.paths
        for path in _leaves(changed, value_at(wanted, changed), value_at(live, changed))
        # A workload whose Secret is missing waits for that: no difference of its own.
        if value_at(wanted, path) != PENDING
    ]
    fields += [
        field_drift(path, owner, restored=path[-1] == LAST_APPLIED_ANNOTATION)
        for path, owner in _foreign_fields(item.live, item.paths)
        if value_at(live, path) is not None  # the server's own bookkeeping is not shown
    ]
    return [_described(item.identity, CHANGED, fields)] if fields else []


def _leaves(path: Path, wanted: Any, live: Any) -> Iterator[Path]:
    """Yield the members that differ where both sides are maps: a comparison may name the whole only."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key in sorted({*wanted, *live}):
            if wanted.get(key) != live.get(key):
                yield from _leaves((*path, key), wanted.get(key), live.get(key))
    else:
        yield path


def _foreign_fields(live: Mapping[str, Any], reported: Sequence[Path]) -> Iterator[tuple[Path, FieldOwner]]:
    """Yield what others have stated beside the release, and what is not among the *reported* fields already."""
    seen = [*reported, NAMESPACE_NAME]
    ours = recorded_fields(live).get("fieldsV1") or {}
    for owner, fields in owners(live):
        if owner.is_status or owner.manager in CONTROLLERS or owner.manager == FIELD_MANAGER:
            continue
        for path in stated_beside(fields, ours):
            if not any(path[: len(known)] == known or known[: len(path)] == path for known in seen):
                seen.append(path)
                yield path, owner


def _described(identity: Identity, state: str, fields: Sequence[FieldDrift] = ()) -> ObjectDrift:
    return ObjectDrift(identity.api_version, identity.kind, identity.namespace, identity.name, state, list(fields))
