# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: wave by wave (write_order), the objects of a wave at the same time, by server-side apply."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import APPLY_PATCH, MERGE_PATCH, Connection
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.kinds import REPLICAS, kind_of
from ..objects.labels import OWN_LABELS, is_ours, labels_of
from ..objects.managed_fields import (
    FIELD_MANAGER,
    HAND_OVER_MANAGER,
    LAST_APPLIED_ANNOTATION,
    apply_query,
    value_at,
)
from ..objects.planned_object import KEEP_SECRET, PlannedObject, awaits_release, is_going
from .adoption import former_owners, migrated, refusal, takes_nothing
from .plan import differs
from .write_order import waves

POLL_PAUSE = 0.25  # seconds
# The API server looks in its cache of Roles, which is behind by milliseconds.
ROLE_TIMEOUT = 10.0  # seconds
TAKE_OVER_TIMEOUT = 10.0  # seconds
# A pod gets 30 s to end, unless it states another time.
REPLACE_TIMEOUT = 120.0  # seconds
# Seconds in which cert-manager notices that a Certificate is being deleted
DISOWN_PERIOD = 1.0
INVALID = 422  # the answer to a change that the server does not let anybody make


class Execution:
    """Writes the objects of a plan, or asks the server what a write would do.

    :param dry_run: write nothing.
    :param force: take fields from other field managers also on objects that do not carry our labels.
    """

    def __init__(self, connection: Connection, executor: Executor, dry_run: bool, force: bool = False) -> None:
        self._connection = connection
        self._executor = executor
        self._dry_run = dry_run
        self._force = force
        self._created: set[tuple[str, str, str]] = set()
        self.warnings: list[str] = []

    def apply(
        self, planned: Sequence[PlannedObject], before_wave: Callable[[Sequence[PlannedObject]], None] | None = None
    ) -> None:
        """Apply what the plan found to be missing or different. A wave that fails is the last one.

        :param before_wave: is given the objects of each wave, to complete them with what earlier ones brought.
        :raises ApplyError: naming every object of the wave that failed. ``done`` tells which objects are through.
        """
        created = [item.identity for item in planned if item.result == "created"]
        self._created = {(identity.kind, identity.namespace, identity.name) for identity in created}
        self._run_waves(planned, self._apply_one, before_wave=before_wave)

    def delete(self, planned: Sequence[PlannedObject]) -> None:
        """Delete what the plan found, in the opposite order of creation. Dependents follow in the background.

        What is handed over instead loses what makes it ours.
        """
        self._run_waves(planned, self._delete_one, reverse=True)

    def _run_waves(
        self,
        planned: Sequence[PlannedObject],
        write: Callable[[PlannedObject], None],
        reverse: bool = False,
        before_wave: Callable[[Sequence[PlannedObject]], None] | None = None,
    ) -> None:
        for items in waves([item for item in planned if item.to_write], reverse):
            if before_wave:
                before_wave(items)
            concurrently(self._executor, write, items)

    def _apply_one(self, item: PlannedObject) -> None:
        if self._dry_run and (item.namespace_missing or item.refused):
            item.done = True  # the schema was checked; there is no namespace to try it in, or nobody who may
            return
        try:
            if item.fields or item.live is None:
                item.after = self._patch_or_replace(item)
                item.narrow(item.after)
            if item.strip_last_applied:
                item.after = self._strip_last_applied(item)
        except ApiError as error:
            raise ApplyError(f"{item.identity} was refused ({error.status}): {error}") from None
        item.done = True
        if item.live and item.after and not self._has_changed(item.live, item.after):
            item.result, item.fields = "unchanged", []

    def _has_changed(self, live: dict[str, Any], after: dict[str, Any]) -> bool:
        if self._dry_run:
            return differs(live, after)
        return bool(live["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"])

    def _patch_or_replace(self, item: PlannedObject) -> dict[str, Any]:
        try:
            return self._patch(item)
        except ApiError as error:
            kind = kind_of(item.identity.group, item.identity.kind)
            if error.status != INVALID or not item.live or not kind.is_replaced:
                raise
        return self._replace(item, item.live)

    def _replace(self, item: PlannedObject, live: dict[str, Any]) -> dict[str, Any]:
        """Delete a Job or Pod of which nothing may be changed, and make it again: only that brings its new state."""
        # Nothing is deleted for the sake of an object that the server would not take.
        trial = {name: value for name, value in item.desired["metadata"].items() if name != "name"}
        trial["generateName"] = f"{item.identity.name}-"
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "dryRun": "All"}
        body = {**item.desired, "metadata": trial}
        self._connection.request("POST", item.path.rpartition("/")[0], query=query, body=body)
        done, fields = "would be" if self._dry_run else "was", ", ".join(item.fields)
        self.warnings.append(f"{item.identity} {done} deleted and made again: Kubernetes lets nobody change {fields}.")
        if self._dry_run:
            return deepcopy(item.desired)
        self._delete(item, live)
        deadline = time.monotonic() + REPLACE_TIMEOUT
        while self._connection.find(item.path):
            if time.monotonic() >= deadline:
                raise ApplyError(f"{item.identity} was deleted and is still there after {REPLACE_TIMEOUT:g} s.")
            time.sleep(POLL_PAUSE)
        return self._send(item, force=self._force)

    def _patch(self, item: PlannedObject) -> dict[str, Any]:
        released = _released_replicas(item)
        if released is not None and not self._dry_run:
            self._hand_over(item, released)
        if item.taken_from and not self._dry_run:
            self._take_over(item)
        # The plan refuses what other tools own, unless it was asked to take it over
        force = self._force or bool(item.former_owners or item.taken_from)
        try:
            after = self._send(item, force=force)
        except ApiError as error:
            if not error.field_conflicts:
                raise
            item.former_owners = former_owners(error)
            if not is_ours(item.live or {}, item.desired) and not takes_nothing(error):
                raise ApplyError(refusal([item])) from None
            after = self._send(item, force=True)
        if released is not None and self._dry_run:
            after["spec"]["replicas"] = released
        return after

    def _hand_over(self, item: PlannedObject, replicas: int) -> None:
        """Let another manager state a number of replicas first: a field that nobody states falls back to 1.

        https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
        """
        metadata = {name: item.desired["metadata"][name] for name in ("name", "namespace")}
        body = {**item.desired, "metadata": metadata, "spec": {"replicas": replicas}}
        query = apply_query(dry_run=False, force=False, manager=HAND_OVER_MANAGER)
        try:
            self._connection.request("PATCH", item.path, query=query, body=body, content_type=APPLY_PATCH)
        except ApiError as error:
            if not error.field_conflicts:  # an autoscaler was quicker, and owns it already
                raise

    def _take_over(self, item: PlannedObject) -> None:
        """Make what other tools state of an object ours, so that the apply gives up what the release does not state."""
        version = item.identity.api_version
        self._rewrite(item.path, lambda live: {"managedFields": migrated(live, version, item.taken_from)})

    def _send(self, item: PlannedObject, force: bool) -> dict[str, Any]:
        deadline = time.monotonic() + ROLE_TIMEOUT
        while True:
            try:
                return self._write(item, apply_query(self._dry_run, force), item.desired, APPLY_PATCH)
            except ApiError as error:
                if error.status != 404 or not self._binds_new_role(item):
                    raise
                if self._dry_run:
                    return deepcopy(item.desired)  # of which the server can say more when there is the Role
                if time.monotonic() >= deadline:
                    raise
            time.sleep(POLL_PAUSE)

    def _binds_new_role(self, item: PlannedObject) -> bool:
        """Tell whether an object binds a Role that this very run creates."""
        role = item.desired.get("roleRef") or {}
        namespace = item.identity.namespace if role.get("kind") == "Role" else ""
        return (role.get("kind"), namespace, role.get("name")) in self._created

    def _strip_last_applied(self, item: PlannedObject) -> dict[str, Any]:
        """Remove what client-side `kubectl apply` left: a copy of the object, of a Secret with all old values."""
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if self._dry_run else {})}
        body = {"metadata": {"annotations": {LAST_APPLIED_ANNOTATION: None}}}
        stripped = self._write(item, query, body, MERGE_PATCH)
        if self._dry_run and item.after:
            # A dry run starts from what is live: lay its one effect over that of the apply.
            item.after["metadata"].get("annotations", {}).pop(LAST_APPLIED_ANNOTATION, None)
            stripped = item.after
        item.fields = [*item.fields, f"metadata.annotations[{LAST_APPLIED_ANNOTATION}]"]
        return stripped

    def _write(self, item: PlannedObject, query: dict[str, str], body: Any, content_type: str) -> dict[str, Any]:
        answer = self._connection.request("PATCH", item.path, query=query, body=body, content_type=content_type)
        written: dict[str, Any] = answer.body
        self.warnings.extend(f"{item.identity}: {_warning_text(warning)}" for warning in answer.warnings)
        return written

    def _delete_one(self, item: PlannedObject) -> None:
        if item.handed_over:
            item.after = self._let_go(item)
        elif not self._dry_run and item.live and item.fills:
            self._delete_filler(item, item.live, item.fills)
        elif not self._dry_run and item.live:
            if awaits_release(item.live):
                self._release(item)
            self._delete(item, item.live)
        item.done = True

    def _release(self, item: PlannedObject) -> None:
        """Let a deleted Certificate go."""
        self._rewrite(
            item.path, lambda body: {"finalizers": [name for name in _finalizers(body) if name != KEEP_SECRET]}
        )

    def _let_go(self, item: PlannedObject) -> dict[str, Any] | None:
        """Take our labels from an object, and our record of what we stated: its content is the next one's to state."""

        def change(live: dict[str, Any]) -> dict[str, Any]:
            entries = live["metadata"].get("managedFields") or []
            others = [entry for entry in entries if entry.get("manager") != FIELD_MANAGER or entry.get("subresource")]
            return {"labels": dict.fromkeys(OWN_LABELS), "managedFields": others or [{}]}

        if not self._dry_run:
            return self._rewrite(item.path, change)
        after = deepcopy(item.live or {})
        after["metadata"]["labels"] = {name: text for name, text in labels_of(after).items() if name not in OWN_LABELS}
        return after

    def _delete_filler(self, item: PlannedObject, live: dict[str, Any], secret: Identity) -> None:
        """Delete a Certificate whose Secret stays, also where cert-manager has made the Secret its dependent.

        cert-manager would do so again at once, unless the Certificate is being deleted. A finalizer keeps it in that
        state until the Secret is nobody's.
        """
        uid, path = live["metadata"]["uid"], f"/api/v1/namespaces/{secret.namespace}/secrets/{secret.name}"
        found = self._connection.find(path)
        is_owned = found is not None and _without_owner(found, uid) is not None
        if is_owned and not is_going(live):
            self._rewrite(item.path, lambda body: {"finalizers": [*_finalizers(body), KEEP_SECRET]})
        if not is_going(live):
            self._delete(item, live)
        if not is_owned and not is_going(live):
            return
        end = time.monotonic() + DISOWN_PERIOD
        while time.monotonic() < end:
            self._rewrite(path, lambda body: _without_owner(body, uid))
            time.sleep(POLL_PAUSE)
        self._release(item)

    def _rewrite(self, path: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any] | None:
        """Change the metadata of an object, as it is when nobody writes in between. None: it is not there.

        :param change: returns what becomes of the metadata, None if it is to stay.
        """
        deadline = time.monotonic() + TAKE_OVER_TIMEOUT
        while live := self._connection.find(path):
            metadata = change(live)
            if metadata is None:
                return live
            body = {"metadata": {"resourceVersion": live["metadata"]["resourceVersion"], **metadata}}
            query = {"fieldManager": FIELD_MANAGER}
            try:
                after: dict[str, Any] = self._connection.request(
                    "PATCH", path, query=query, body=body, content_type=MERGE_PATCH
                ).body
            except ApiError as error:
                # A controller has written in between, such as the status of a Deployment
                if error.status != 409 or time.monotonic() >= deadline:
                    raise
            else:
                return after
        return None

    def _delete(self, item: PlannedObject, live: dict[str, Any]) -> None:
        # Not an object of the same name that somebody has created in the meantime.
        body = {"propagationPolicy": "Background", "preconditions": {"uid": live["metadata"]["uid"]}}
        try:
            self._connection.request("DELETE", item.path, body=body)
        except ApiError as error:
            if not self._has_been_deleted(item, error):
                raise ApplyError(f"{item.identity} was not deleted ({error.status}): {error}") from None

    def _has_been_deleted(self, item: PlannedObject, error: ApiError) -> bool:
        """Tell whether an earlier attempt got through, whose answer was lost. A namespace then answers 409."""
        if error.status != 409:
            return error.status == 404
        found = self._connection.find(item.path)
        return found is None or is_going(found)


def wait_until_gone(
    connection: Connection,
    executor: Executor,
    planned: Sequence[PlannedObject],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the objects have left the cluster, also those that were being deleted already.

    :param timeout: seconds for all of them together.
    :raises ApplyError: naming those that are still there, and what holds them.
    """
    deadline = clock() + timeout
    pending = [item for item in planned if item.live and not item.handed_over]
    while pending:
        states = concurrently(executor, lambda item: connection.find(item.path), pending)
        remaining = [
            (item, state)
            for item, state in zip(pending, states, strict=True)
            if state and item.live and state["metadata"]["uid"] == item.live["metadata"]["uid"]
        ]
        pending = [item for item, _state in remaining]
        if not pending:
            return
        if clock() >= deadline:
            texts = [_remaining_text(item, state) for item, state in remaining]
            raise ApplyError("\n".join([*texts, f"wait_timeout is {timeout:g} s."]))
        sleep(POLL_PAUSE)


def _without_owner(live: dict[str, Any], uid: str) -> dict[str, Any] | None:
    """Return the change after which an object is no dependent of *uid*, None if it is none."""
    owners = live["metadata"].get("ownerReferences") or []
    others = [owner for owner in owners if owner.get("uid") != uid]
    return {"ownerReferences": others} if others != owners else None


def _finalizers(live: Mapping[str, Any]) -> list[str]:
    return live["metadata"].get("finalizers") or []


def _remaining_text(item: PlannedObject, state: dict[str, Any]) -> str:
    holders = [*(state["metadata"].get("finalizers") or []), *((state.get("spec") or {}).get("finalizers") or [])]
    conditions = [
        condition["message"]
        for condition in (state.get("status") or {}).get("conditions") or []
        if condition.get("status") == "True" and condition.get("message")
    ]
    reasons = ([f"finalizers {', '.join(holders)}"] if holders else []) + conditions
    return f"{item.identity} is being deleted but still exists: {'; '.join(reasons) or 'the server gives no reason'}."


def _released_replicas(item: PlannedObject) -> int | None:
    """Return the live number of replicas that we state no longer, None where there is none."""
    kind = kind_of(item.identity.group, item.identity.kind)
    if kind.pod_count != REPLICAS or REPLICAS not in item.paths or value_at(item.desired, REPLICAS) is not None:
        return None
    replicas: int | None = value_at(item.live, REPLICAS)
    return replicas


def _warning_text(header: str) -> str:
    """Return the text of a Warning header, `299 - "text"`."""
    return header.partition('"')[2].rpartition('"')[0].replace('\\"', '"') or header
