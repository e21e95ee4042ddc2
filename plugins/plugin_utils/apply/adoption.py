# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking over objects that another tool made: kubectl apply, Helm, Argo CD, Flux.

Two field managers of one object do not share its fields for ever: what the old one stated and the release does not
would stay, stated by nobody. So the fields of the old manager become ours first, as client-go's csaupgrade does it
for `kubectl apply --server-side`. The apply that follows gives up what the release does not state.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply
"""

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import APPLY_PATCH, Connection
from ..api.discovery import Discovery
from ..objects import pull_secrets
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.kinds import kind_of_body
from ..objects.labels import is_ours
from ..objects.managed_fields import (
    FIELD_MANAGER,
    LAST_APPLIED_ANNOTATION,
    apply_query,
    as_text,
    owner_of,
    recorded_fields,
    stated_beside,
    value_at,
)
from ..objects.planned_object import PlannedObject, is_going
from .owned_objects import list_metadata

SHOWN_FIELDS = 4
INVALID = 422  # also the answer of an admission policy, which deleting the object would not please
# How the API server says that a field stays as it was made: selectors, a Secret's type, the role of a binding, the
# specification of a StatefulSet
_FINAL = re.compile(r"immutable|cannot change roleRef|[Ff]orbidden: updates to")


def plan_adoption(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    planned: Sequence[PlannedObject],
    adopt: bool,
    returning: Collection[Identity] = (),
) -> str:
    """Find the objects whose fields other tools own, mark them as to be taken over, and return a preview of that.

    Costs a dry run or two for each live object that is to be written and lacks our labels, and a list of each kind if
    something is taken over.

    :param returning: Secrets that a controller has filled for the release itself. Nobody is asked about those.
    :raises ApplyError: naming all of them, without *adopt*; or what the server never lets change.
    """
    foreign = []
    for item in planned:
        if item.result == "updated" and item.live and item.identity in returning:
            item.taken_from = _managers(item.live) - {FIELD_MANAGER}
        elif item.result == "updated" and item.live and not is_ours(item.live, item.desired):
            foreign.append(item)
    owners = concurrently(executor, lambda item: _conflicts(connection, item), foreign)
    for item, found in zip(foreign, owners, strict=True):
        item.former_owners = found
    contested = [item for item in foreign if item.former_owners]
    tools = _tools(foreign) if adopt else set()
    taken = [item for item in foreign if item.former_owners or _managers(item.live or {}) & tools]
    trials = concurrently(executor, lambda item: _trial(connection, item), taken)
    faults = [_immutable_text(item, trial) for item, trial in zip(taken, trials, strict=True) if _is_final(item, trial)]
    if contested and not adopt:
        raise ApplyError(refusal(contested, faults))
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))
    for item in taken:
        item.taken_from = _managers(item.live or {}) & tools
    fresh = concurrently(executor, lambda item: _as_new(connection, item), taken)
    for item, trial, new in zip(taken, trials, fresh, strict=True):
        item.given_up = [] if isinstance(trial, ApiError) else _given_up(item, trial, new)
    if not taken:
        return ""
    stated = {item.identity.unversioned for item in planned}
    spaces = sorted({item.identity.namespace for item in taken} - {""})
    left = [one for space in spaces for one in _left_behind(connection, executor, discovery, space, tools, stated)]
    return _preview(taken, left)


def migrated(live: Mapping[str, Any], api_version: str, tools: Collection[str]) -> list[dict[str, Any]]:
    """Return the `managedFields` of an object in which what *tools* stated is ours."""
    entries = live["metadata"].get("managedFields") or []
    theirs = [entry for entry in entries if _is_of(entry, tools)]
    ours = recorded_fields(live) or {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": api_version,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fieldsType": "FieldsV1",
    }
    fields: Mapping[str, Any] = ours.get("fieldsV1") or {}
    for entry in theirs:
        fields = _union(fields, entry.get("fieldsV1") or {})
    kept = [entry for entry in entries if entry not in theirs and entry != ours]
    return [*kept, {**ours, "fieldsV1": fields}]


def former_owners(error: ApiError) -> list[dict[str, Any]]:
    """Return the field managers that a conflict names: `manager` and the `fields` that it owned."""
    fields: dict[str, list[str]] = {}
    for cause in error.field_conflicts:
        _before, _quote, rest = cause.get("message", "").partition('"')
        manager = rest.partition('"')[0] or "unknown"
        fields.setdefault(manager, []).append(cause.get("field", "").lstrip("."))
    return [{"manager": manager, "fields": owned} for manager, owned in fields.items()]


def takes_nothing(error: ApiError) -> bool:
    """Tell whether all that a conflict is about is a list that has the entries of others beside ours."""
    return all(cause.get("field") == f".{pull_secrets.FIELD}" for cause in error.field_conflicts)


def _conflicts(connection: Connection, item: PlannedObject) -> list[dict[str, Any]]:
    try:
        _apply_dry(connection, item, force=False)
    except ApiError as error:
        return [] if takes_nothing(error) else former_owners(error)  # any other refusal is the write's to tell
    return []


def _trial(connection: Connection, item: PlannedObject) -> dict[str, Any] | ApiError:
    try:
        return _apply_dry(connection, item, force=True)
    except ApiError as error:
        return error


def _apply_dry(connection: Connection, item: PlannedObject, force: bool) -> dict[str, Any]:
    query = apply_query(dry_run=True, force=force)
    answer: dict[str, Any] = connection.request(
        "PATCH", item.path, query=query, body=item.desired, content_type=APPLY_PATCH
    ).body
    return answer


def _tools(foreign: Sequence[PlannedObject]) -> set[str]:
    """Return the managers that have stated objects of the release. What a cluster's controllers wrote stays theirs."""
    path = ("metadata", "annotations", LAST_APPLIED_ANNOTATION)
    appliers = {owner.manager for item in foreign for owner in [owner_of(item.live or {}, path)] if owner}
    named = {owner["manager"] for item in foreign for owner in item.former_owners}
    return {manager for manager in appliers | named if "controller-manager" not in manager}


def _is_of(entry: Mapping[str, Any], tools: Collection[str]) -> bool:
    return entry.get("manager") in tools and not entry.get("subresource")


def _managers(live: Mapping[str, Any]) -> set[str]:
    # A Namespace may be everybody's: of it, only what the release states is taken
    if live.get("kind") == "Namespace":
        return set()
    entries = live["metadata"].get("managedFields") or []
    return {entry.get("manager") or "" for entry in entries if not entry.get("subresource")}


def _as_new(connection: Connection, item: PlannedObject) -> Mapping[str, Any]:
    """Return what the object would be if there were none yet, with the server's defaults; empty if nobody can tell."""
    metadata = {name: value for name, value in item.desired["metadata"].items() if name != "name"}
    body = {**item.desired, "metadata": {**metadata, "generateName": f"{item.identity.name}-"}}
    query = {"fieldManager": FIELD_MANAGER, "dryRun": "All"}
    try:
        answer: dict[str, Any] = connection.request("POST", item.path.rpartition("/")[0], query=query, body=body).body
    except ApiError:
        return {}
    return answer


def _given_up(item: PlannedObject, trial: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what the tools state and neither the release nor anybody else does. The apply removes it.

    A tool that sends whole objects is recorded to state the server's defaults, too: those stay as they are.
    """
    live: Mapping[str, Any] = item.live or {}
    entries = live["metadata"].get("managedFields") or []
    rest = [entry for entry in entries if not _is_of(entry, item.taken_from)]
    others = {"metadata": {"managedFields": rest}}
    ours = recorded_fields(trial).get("fieldsV1") or {}
    paths = {
        path
        for entry in entries
        if _is_of(entry, item.taken_from)
        for path in stated_beside(entry.get("fieldsV1") or {}, ours)
        if path[-1] != LAST_APPLIED_ANNOTATION
        and owner_of(others, path) is None
        and value_at(live, path) != value_at(new, path)
    }
    return sorted(map(as_text, paths))


def _left_behind(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    namespace: str,
    tools: Collection[str],
    stated: Collection[Any],
) -> list[str]:
    """Return the other objects of the namespace that the tools made, Helm's record of its release among them."""
    found = list_metadata(connection, executor, discovery, namespace, cluster_scoped=False)
    theirs = [
        live
        for live in found.objects
        if not is_going(live) and not live["metadata"].get("ownerReferences") and _managers(live) & set(tools)
    ]
    identities = map(Identity.of, theirs)
    return sorted(str(one) for one in identities if one.unversioned not in stated)


def _is_final(item: PlannedObject, trial: dict[str, Any] | ApiError) -> bool:
    if not isinstance(trial, ApiError) or trial.status != INVALID or kind_of_body(item.desired).is_replaced:
        return False
    return bool(_FINAL.search(str(trial)))


def _immutable_text(item: PlannedObject, trial: Any) -> str:
    kind, space, name = item.identity.kind.lower(), item.identity.namespace, item.identity.name
    where = f"-n {space} " if space else ""
    return (
        f"{item.identity} cannot become the release's, because Kubernetes refuses the change: {trial} Delete it "
        f"(kubectl {where}delete {kind} {name}) and deploy again, which makes it new. A workload is down meanwhile."
    )


def refusal(contested: Sequence[PlannedObject], faults: Sequence[str] = ()) -> str:
    """Return what to say of objects whose fields are not ours to take unasked."""
    namespaces = [item for item in contested if item.identity.kind == "Namespace"]
    lines = ["Others made these objects and own fields of them that the release states:"]
    lines += [f"- {item.identity}: {_owned(owner)}" for item in contested for owner in item.former_owners]
    if contested != namespaces:
        lines.append(
            "To take them over, preview with --check -e agentsmith_adopt=true, then deploy with "
            "-e agentsmith_adopt=true (docs/how-to/take-over.md; in a task, the option adopt). To leave them alone, "
            "give the release another namespace."
        )
    if namespaces:
        lines.append(
            "If the namespace is to stay theirs, set namespace_create to false: then the release does not state it."
        )
    return "\n".join([*lines, *faults, "Nothing was changed."])


def _preview(taken: Sequence[PlannedObject], left_behind: Sequence[str]) -> str:
    lines = ["These objects of other tools become the release's (agentsmith_adopt):"]
    for item in taken:
        owners = "; ".join(map(_owned, item.former_owners)) or f"{', '.join(sorted(item.taken_from))} made it"
        lost = f". What the release does not state goes: {', '.join(item.given_up)}" if item.given_up else ""
        lines.append(f"- {item.identity}: {owners}{lost}")
    if left_behind:
        lines.append("These objects of the same tools are not the release's and stay. Delete what you do not need:")
        lines += [f"- {identity}" for identity in left_behind]
    return "\n".join([*lines, "Stop the other tool first, or it writes its fields again."])


def _owned(owner: Mapping[str, Any]) -> str:
    shown, rest = owner["fields"][:SHOWN_FIELDS], len(owner["fields"]) - SHOWN_FIELDS
    return f"{owner['manager']} owns {', '.join(shown)}" + (f" and {rest} more" if rest > 0 else "")


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of both. An empty record stands for the field itself, in a filled one `.` does."""
    merged: dict[str, Any] = {**other, **one}
    for name in one.keys() & other.keys():
        below = _union(one[name], other[name])
        merged[name] = {".": {}, **below} if below and not (one[name] and other[name]) else below
    return merged
