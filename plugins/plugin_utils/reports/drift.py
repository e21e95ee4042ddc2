# SPDX-License-Identifier: GPL-3.0-or-later
"""How the cluster differs from the release, and who made it differ. Reads, and asks by dry run in doubt; no writes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import CONCURRENCY, Connection
from ..api.discovery import Discovery
from ..apply.autoscalers import leave_replicas_to_autoscalers
from ..apply.live_lists import Lists, list_live
from ..apply.owned_objects import find_owned
from ..apply.plan import dry_run, plan_object, read_live, settle
from ..objects.equality import same_in_json
from ..objects.errors import ApiError
from ..objects.identity import Identity
from ..objects.labels import is_engines, is_ours
from ..objects.managed_fields import (
    LAST_APPLIED_ANNOTATION,
    FieldOwner,
    Path,
    as_text,
    fields_of_others,
    owner_of,
    recorded_fields,
    value_at,
)
from ..objects.namespace_origin import mark_created
from ..objects.normalisation import normalise_objects
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, is_going
from ..objects.pull_secrets import keep_others
from ..secrets.redaction import Redactor
from ..secrets.secret_digest import PENDING, SecretDigests
from .drift_report import CHANGED, EXTRA, KEPT, MISSING, TERMINATING, DriftReport, FieldDrift, ObjectDrift

# The time of a record that a deploy would leave of an object that another tool has applied.
OF_NO_DEPLOY = ""


@dataclass(frozen=True)
class Ignored:
    """What is not to be reported: fields that one of the *managers* wrote last, and fields at or below the *paths*.

    In both, `*` stands for any text. A path may begin with the kind of the object, or its kind and name:
    `Service:spec.ports`, `Deployment/redis:spec.replicas`.
    """

    managers: Sequence[str] = ()
    paths: Sequence[str] = ()

    def has(self, item: ObjectDrift, field: FieldDrift) -> bool:
        """Tell whether a field of an object is meant."""
        places = [f"{place}{field.path}" for place in ("", f"{item.kind}:", f"{item.kind}/{item.name}:")]
        return any(_matches(manager, field.manager, r"\Z") for manager in self.managers) or any(
            _matches(path, place, r"(\Z|[.\[])") for path in self.paths for place in places
        )


def _matches(pattern: str, text: str, end: str) -> bool:
    return re.match(".*".join(map(re.escape, pattern.split("*"))) + end, text) is not None


def find_drift(
    connection: Connection, objects: Sequence[Any], owner: Owner, redactor: Redactor, ignored: Ignored | None = None
) -> DriftReport:
    """Compare the objects of a release with the cluster. The report shows no value of a Secret.

    :param owner: whose further objects are extra ones.
    :param ignored: what is not to be reported.
    :raises ApplyError: when the server cannot be asked, or the objects are malformed.
    """
    bodies = normalise_objects(objects)
    redactor.learn(bodies)
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        discovery = Discovery.ask(connection, executor, [body["apiVersion"] for body in bodies])
        lists = list_live(connection, executor, discovery, owner, bodies)
        planned = _compare(connection, executor, discovery, bodies, redactor, lists)
        stated = {(identity.group, identity.kind) for identity in map(Identity.of, bodies)}
        found = find_owned(connection, executor, discovery, owner, None, stated, lists)
    drifted = [drift for item in planned for drift in _object_drift(item, redactor)]
    wanted = {item.identity.unversioned for item in planned}
    rendered = [Identity.of(live) for live in found.objects if not is_engines(live)]
    extra = [identity for identity in rendered if identity.unversioned not in wanted]
    reported, left_out = _divided(drifted, ignored or Ignored())
    reported += [_described(identity, EXTRA) for identity in extra]
    return DriftReport(owner.namespace, connection.host, len(bodies), reported, found.unseen, left_out)


def _divided(drifted: Sequence[ObjectDrift], ignored: Ignored) -> tuple[list[ObjectDrift], list[ObjectDrift]]:
    """Return what is to be reported of objects, and what is not."""
    reported: list[ObjectDrift] = []
    left_out: list[ObjectDrift] = []
    for item in drifted:
        if item.state != CHANGED:
            reported.append(item)
            continue
        for side, is_ignored in ((reported, False), (left_out, True)):
            fields = [field for field in item.fields if ignored.has(item, field) is is_ignored]
            if fields:
                state = CHANGED if any(field.restored for field in fields) else KEPT
                side.append(replace(item, state=state, fields=fields))
    return reported, left_out


def _compare(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    bodies: list[dict[str, Any]],
    redactor: Redactor,
    lists: Lists,
) -> list[PlannedObject]:
    digests = SecretDigests(bodies)
    live = read_live(connection, executor, discovery, bodies, digests.elsewhere, lists)
    redactor.learn(live.values())
    mark_created(bodies, live)
    keep_others(bodies, live)
    leave_replicas_to_autoscalers(connection, bodies, live)
    digests.learn(live)
    # A deploy stamps workloads, another tool does not
    digests.stamp(but=[identity for identity, found in live.items() if found and not recorded_fields(found)])

    def examine(body: dict[str, Any]) -> PlannedObject:
        identity = Identity.of(body)
        path, found = discovery.path(identity), live[identity]
        return plan_object(connection, path, body, found and _as_if_deployed(connection, path, body, found))

    planned = concurrently(executor, examine, bodies)
    settle(connection, executor, planned)
    return planned


def _as_if_deployed(connection: Connection, path: str, body: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Return a live object of the release that another tool has applied, with the record that a deploy would leave.

    Without a record, what the server has filled in would be differences. The tool stays the owner of its fields: the
    record is the oldest.
    """
    if recorded_fields(live) or not is_ours(live, body):
        return live
    try:
        record = recorded_fields(dry_run(connection, path, body, live))
    except ApiError:
        return live
    entries = [*(live["metadata"].get("managedFields") or []), {**record, "time": OF_NO_DEPLOY}]
    return {**live, "metadata": {**live["metadata"], "managedFields": entries}}


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
    fields += [field_drift(path, None, restored=False) for path in item.rewritten]
    of_kubectl = recorded_fields(item.live).get("time") == OF_NO_DEPLOY
    fields += [
        field_drift(path, owner, restored=path[-1] == LAST_APPLIED_ANNOTATION)
        for path, owner in fields_of_others(item.live, [*item.paths, *item.rewritten])
        if value_at(live, path) is not None  # the server's own bookkeeping is not shown
        and not (of_kubectl and path[-1] == LAST_APPLIED_ANNOTATION)  # its own bookkeeping
    ]
    return [_described(item.identity, CHANGED, fields)] if fields else []


def _leaves(path: Path, wanted: Any, live: Any) -> Iterator[Path]:
    """Yield the members that differ where both sides are maps: a comparison may name the whole only."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key in sorted({*wanted, *live}):
            if not same_in_json(wanted.get(key), live.get(key)):
                yield from _leaves((*path, key), wanted.get(key), live.get(key))
    else:
        yield path


def _described(identity: Identity, state: str, fields: Sequence[FieldDrift] = ()) -> ObjectDrift:
    return ObjectDrift(identity.api_version, identity.kind, identity.namespace, identity.name, state, list(fields))
