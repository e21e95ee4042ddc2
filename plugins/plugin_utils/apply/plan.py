# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live, and what is to be done about each object. Reads only: nothing here changes the cluster."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from ..api.concurrency import concurrently
from ..api.connection import APPLY_PATCH, Connection
from ..api.discovery import Discovery
from ..api.retry import SHORT_PERIOD
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.kinds import kind_of_body
from ..objects.labels import MANAGED_BY_LABEL, annotations_of, is_ours, labels_of
from ..objects.managed_fields import FIELD_MANAGER, LAST_APPLIED_ANNOTATION, apply_query, as_text, recorded_fields
from ..objects.planned_object import PlannedObject, awaits_release, is_going
from ..secrets.redaction import essence
from .comparison import compare
from .live_lists import Lists, by_identity
from .openapi_schema import schema_faults
from .published_schemas import PublishedSchemas

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def read_live(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    bodies: Sequence[dict[str, Any]],
    secrets_elsewhere: Sequence[Identity] = (),
    lists: Lists | None = None,
) -> dict[Identity, dict[str, Any] | None]:
    """Read the objects as they are now; None stands for one that is not there. Costs one request an object.

    :param secrets_elsewhere: Secrets to read besides, which workloads among the objects refer to.
    :param lists: what was listed, which is not read again.
    :raises ApplyError: when an object is of a kind that the server does not serve, or may not be read.
    """

    listed = by_identity(lists or {})

    def read(identity: Identity) -> dict[str, Any] | None:
        if identity in listed:
            return listed[identity]
        if identity not in secrets_elsewhere:
            return connection.find(discovery.path(identity))
        try:
            return connection.find(f"/api/v1/namespaces/{identity.namespace}/secrets/{identity.name}")
        except ApiError as error:
            raise ApplyError(
                f"{identity} cannot be read ({error.status}): {error}. A workload among the objects reads it and has "
                "to roll if it changes. Grant the right to get it, or set roll_on_secret_change to false. Nothing was "
                "changed."
            ) from None

    identities = [*map(Identity.of, bodies), *secrets_elsewhere]
    discovery.require_kinds(map(Identity.of, bodies))
    return dict(zip(identities, concurrently(executor, read, identities), strict=True))


def plan_present(
    connection: Connection,
    executor: Executor,
    discovery: Discovery,
    bodies: Sequence[dict[str, Any]],
    live: Mapping[Identity, dict[str, Any] | None],
    schemas: PublishedSchemas,
) -> list[PlannedObject]:
    """Compare the desired objects with the live ones.

    Costs one dry run for each object of which the server alone can tell whether it differs, and the schemas where
    something is to be written: what the server would refuse for its form must not stop a release half way.

    :param live: as read_live() found the objects.
    :raises ApplyError: when an object has no namespace to live in, or does not fit the server's schema.
    """

    def examine(body: dict[str, Any]) -> PlannedObject:
        identity = Identity.of(body)
        return plan_object(connection, discovery.path(identity), body, live[identity])

    planned = concurrently(executor, examine, bodies)
    _check_immutable(planned)
    _check_namespaces(connection, executor, planned)
    written = [item for item in planned if item.result in ("created", "updated")]
    if written:
        _check_schemas(schemas, written)
    return planned


def plan_absent(
    connection: Connection, executor: Executor, discovery: Discovery, bodies: Sequence[dict[str, Any]]
) -> list[PlannedObject]:
    """Find which of the objects exist. A kind that the server does not serve has none."""

    def examine(body: dict[str, Any]) -> PlannedObject:
        identity = Identity.of(body)
        if not discovery.serves(identity):
            return PlannedObject(body, "", None, "absent", done=True)
        path = discovery.path(identity)
        live = connection.find(path)
        to_delete = live is not None and not is_going(live)
        return PlannedObject(body, path, live, "deleted" if to_delete else "absent", done=not to_delete)

    identities = map(Identity.of, bodies)
    discovery.require_kinds(one for one in identities if discovery.serves(one) or one.api_version in discovery.silent)
    return concurrently(executor, examine, bodies)


def differs(live: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Tell whether a dry run would have changed the object, or what we are recorded to state of it."""
    return not _same_record(live, result) or essence(live) != essence(result)


def _same_record(live: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    return bool(recorded_fields(live).get("fieldsV1") == recorded_fields(result).get("fieldsV1"))


def plan_object(connection: Connection, path: str, body: dict[str, Any], live: dict[str, Any] | None) -> PlannedObject:
    """Compare one desired object with the live one, by a dry run where only the server can tell."""
    if live is None:
        return PlannedObject(body, path, None, "created")
    if awaits_release(live):  # it is made anew
        return PlannedObject(body, path, live, "updated")
    comparison = compare(body, live)
    if comparison.doubtful and not comparison.changed and _dry_run_differs(connection, path, body, live):
        comparison.changed = comparison.doubtful
    strip = LAST_APPLIED_ANNOTATION in annotations_of(live) and labels_of(body).get(MANAGED_BY_LABEL) == FIELD_MANAGER
    planned = PlannedObject(body, path, live, "updated" if comparison.changed or strip else "unchanged")
    planned.paths = comparison.changed
    planned.fields = [as_text(changed) for changed in comparison.changed]
    planned.strip_last_applied = strip
    planned.done = planned.result == "unchanged"
    return planned


def settle(connection: Connection, executor: Executor, planned: Sequence[PlannedObject]) -> None:
    """Ask the server which updates of a plan would change anything: admission may rewrite what they state.

    Costs one dry run for each object that differs. Where the server does not say, the write will tell.
    """

    def ask(item: PlannedObject) -> None:
        if not (item.live and item.paths) or item.refused:
            return
        try:
            after = dry_run(connection, item.path, item.desired, item.live, SHORT_PERIOD)
        except ApiError:
            return
        # Whatever else the write would bring: admission may stamp an object anew each time.
        if item.narrow(after) or not _same_record(item.live, after):
            return
        item.rewritten, item.paths, item.fields = item.paths, [], []
        if not item.strip_last_applied:
            item.result, item.done = "unchanged", True

    concurrently(executor, ask, planned)


def dry_run(
    connection: Connection, path: str, body: dict[str, Any], live: dict[str, Any], patience: float | None = None
) -> dict[str, Any]:
    """Return what a write would make of an object that is there.

    :raises ApiError: what it would be refused for.
    """
    query = apply_query(dry_run=True, force=is_ours(live, body))
    answer = connection.request("PATCH", path, query=query, body=body, content_type=APPLY_PATCH, patience=patience)
    after: dict[str, Any] = answer.body
    return after


def _dry_run_differs(connection: Connection, path: str, body: dict[str, Any], live: dict[str, Any]) -> bool:
    try:
        return differs(live, dry_run(connection, path, body, live))
    except ApiError as error:
        if error.field_conflicts or error.status == 403 or (error.status == 422 and kind_of_body(body).is_replaced):
            return True  # to be settled where the object is written: nobody else can tell
        raise


def _check_immutable(planned: Sequence[PlannedObject]) -> None:
    """Refuse to change what the server never lets change, before anything else of the release is written.

    The rule: https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable
    """
    faults = []
    for item in planned:
        guarded = [path for path in item.paths if path[0] in ("data", "binaryData", "immutable")]
        if item.live and item.live.get("immutable") is True and guarded:
            kind, space, name = item.identity.kind, item.identity.namespace, item.identity.name
            faults.append(
                f"{item.identity} is immutable and would change in {', '.join(map(as_text, guarded))}, which "
                f"Kubernetes always refuses. Give it the values that the cluster has, or delete it (kubectl -n {space} "
                f"delete {kind.lower()} {name}) and deploy again: that creates it again and rolls the workloads that "
                "read it."
            )
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))


def _check_namespaces(connection: Connection, executor: Executor, planned: Sequence[PlannedObject]) -> None:
    """Mark the objects whose namespace this run is yet to create; refuse those whose namespace nobody creates."""
    ours = {item.identity.name: item for item in planned if item.identity.kind == "Namespace"}
    needed = sorted({item.identity.namespace for item in planned if not item.live and item.identity.namespace})
    others = [name for name in needed if name not in ours]
    found = dict(zip(others, concurrently(executor, lambda name: _namespace(connection, name), others), strict=True))
    faults = []
    for name in needed:
        live = ours[name].live if name in ours else found[name]
        if live is None and name not in ours:
            faults.append(
                f"The namespace {name} does not exist and is not among the objects. Deploy the release, "
                "create the namespace, or correct agentsmith_namespace. Nothing was changed."
            )
        elif live and is_going(live):
            faults.append(
                f"The namespace {name} is being deleted, so nothing can be created in it. Run again when it is gone. "
                "Nothing was changed."
            )
    if faults:
        raise ApplyError("\n".join(faults))
    for item in planned:
        namespace = ours.get(item.identity.namespace)
        item.namespace_missing = namespace is not None and namespace.live is None


def _namespace(connection: Connection, name: str) -> dict[str, Any] | None:
    try:
        return connection.find(f"/api/v1/namespaces/{name}")
    except ApiError as error:
        if error.status == 403:
            # Who may work inside a namespace need not be allowed to look at it from outside: take it as given.
            return {"metadata": {"name": name}}
        raise


def _check_schemas(published: PublishedSchemas, planned: Sequence[PlannedObject]) -> None:
    schemas = published.of(item.identity.api_version for item in planned)
    faults = [
        fault
        for item in planned
        for fault in schema_faults(item.desired, schemas[item.identity.api_version], complete=item.live is None)
    ]
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))
