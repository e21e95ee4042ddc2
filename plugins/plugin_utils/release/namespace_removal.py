# SPDX-License-Identifier: GPL-3.0-or-later
"""What a teardown does with the namespace: delete it, give it back, or leave it, and why."""

from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Self

from ..api.connection import APPLY_PATCH, Connection
from ..api.discovery import Discovery
from ..apply.execution import Execution, wait_until_gone
from ..apply.owned_objects import list_metadata
from ..apply.write_permissions import Need, Permission
from ..objects.identity import Identity
from ..objects.labels import INSTANCE_LABEL, MANAGED_BY, MANAGED_BY_LABEL, labels_of
from ..objects.managed_fields import apply_query, recorded_fields
from ..objects.namespace_origin import was_created_by_us
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, is_going

DELETED, RELEASED, KEPT, ABSENT = "deleted", "released", "kept", "absent"

# What the cluster itself puts into every namespace, or derives from what is in it.
BUILT_IN = frozenset(
    {
        ("ConfigMap", "kube-root-ca.crt"),
        ("ConfigMap", "openshift-service-ca.crt"),
        ("ServiceAccount", "builder"),
        ("ServiceAccount", "default"),
        ("ServiceAccount", "deployer"),
    }
)
DERIVED_KINDS = frozenset({"Event"})


@dataclass
class ReleaseNamespace:
    """The namespace of a release.

    ``foreign``: the objects of others in it, as `kind name`. ``reason``: for people. ``untouchable``: whether it is
    known that we may neither delete nor change it.
    """

    connection: Connection
    owner: Owner
    live: dict[str, Any] | None
    result: str = KEPT
    reason: str = "the teardown did not come that far"
    foreign: list[str] = field(default_factory=list)
    untouchable: bool = False

    @classmethod
    def read(cls, connection: Connection, owner: Owner) -> Self:
        """Read the namespace of *owner*."""
        return cls(connection, owner, connection.find(f"/api/v1/namespaces/{owner.namespace}"))

    @property
    def changed(self) -> bool:
        """Tell whether it is, or would be, another one than before."""
        return self.result in (DELETED, RELEASED)

    @property
    def is_usable(self) -> bool:
        """Tell whether objects can be created in it."""
        return self.live is not None and not is_going(self.live)

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {
            "name": self.owner.namespace,
            "result": self.result,
            "reason": self.reason,
            "foreign": self.foreign,
        }

    def needs(self) -> list[Need]:
        """Return what it takes to delete it, or to take our labels off it."""
        if self.live is None or is_going(self.live) or not self._is_ours():
            return []
        verb = "delete" if was_created_by_us(self.live) else "patch"
        identity = Identity("v1", "Namespace", "", self.owner.namespace)
        return [Need(Permission.on(verb, identity, "namespaces"), identity)]

    def remove(
        self, executor: Executor, discovery: Discovery, gone: Collection[Identity], timeout: float, check_mode: bool
    ) -> None:
        """Delete the namespace where the release made it and nobody else uses it; else take our labels off it.

        :param gone: what was deleted already, or would be in a run that is no preview.
        :raises ApplyError: when it is not gone after *timeout* seconds.
        """
        if self.live is None:
            self.result, self.reason = ABSENT, "it does not exist"
        elif not self._is_ours():
            self.reason = "it does not belong to this release"
        elif self.untouchable:
            self.reason = "you may not delete or change it"
        elif not was_created_by_us(self.live) and not is_going(self.live):
            if not check_mode:
                self._release()
            self.result, self.reason = (
                RELEASED,
                "it is older than the release, and only loses the labels of the release",
            )
        elif obstacle := self._obstacle(executor, discovery, gone):
            self.reason = obstacle
        else:
            self._delete(executor, self.live, timeout, check_mode)

    def _is_ours(self) -> bool:
        labels = labels_of(self.live or {})
        ours = (labels.get(MANAGED_BY_LABEL), labels.get(INSTANCE_LABEL)) == (MANAGED_BY, self.owner.instance)
        return ours and bool(recorded_fields(self.live or {}))

    def _obstacle(self, executor: Executor, discovery: Discovery, gone: Collection[Identity]) -> str:
        """Look for objects of others. Return why they keep the namespace, empty if there are none."""
        found = list_metadata(self.connection, executor, discovery, self.owner.namespace, cluster_scoped=False)
        self.foreign = sorted(
            f"{live['kind']} {live['metadata']['name']}"
            for live in found.objects
            if Identity.of(live) not in gone
            and live["kind"] not in DERIVED_KINDS
            and (live["kind"], live["metadata"]["name"]) not in BUILT_IN
            and not live["metadata"].get("ownerReferences")
        )
        if self.foreign:
            return "it contains objects that do not belong to this release"
        if found.unseen:
            return f"it may contain objects of others, because these kinds cannot be listed: {', '.join(found.unseen)}"
        return ""

    def _delete(self, executor: Executor, live: dict[str, Any], timeout: float, check_mode: bool) -> None:
        item = PlannedObject(live, self._path, live, ABSENT if is_going(live) else DELETED)
        Execution(self.connection, executor, check_mode).delete([item])
        if not check_mode:
            self.reason = "its deletion has begun, and has not ended"
            wait_until_gone(self.connection, executor, [item], timeout)
        self.result, self.reason = item.result, "the release created it, and nothing else is in it"

    def _release(self) -> None:
        """Give up all fields that we state: an apply that states nothing."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.owner.namespace}}
        query = apply_query(dry_run=False, force=False)
        self.connection.request("PATCH", self._path, query=query, body=body, content_type=APPLY_PATCH)

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.owner.namespace}"
