# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether whoever runs this may write what is about to be written, asked before the first write.

Every authenticated user may ask about itself (ClusterRole `system:basic-user`), so it takes no permission of its own:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.discovery import Discovery
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.module_utils.kubernetes_object import Identity
from ansible_collections.agentsmith.platform.plugins.module_utils.plan import PlannedObject, concurrently

REVIEWS = "/apis/authorization.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io"
# A server-side apply of what is not there asks for both
# (https://kubernetes.io/docs/reference/using-api/server-side-apply/#using-server-side-apply-in-a-controller).
VERBS = {"created": ("create", "patch"), "updated": ("patch",), "deleted": ("delete",)}


@dataclass(frozen=True)
class Permission:
    """A verb on a resource. ``namespace`` is empty for what belongs to none, ``name`` for all objects of the kind."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}.{self.group}" if self.group else f"{self.verb} {self.resource}"

    def granted_by(self, rule: Mapping[str, Sequence[str]]) -> bool:
        """Tell whether a rule of a Role grants it."""
        names = rule.get("resourceNames") or []
        return (
            bool({self.verb, "*"} & set(rule.get("verbs") or []))
            and bool({self.group, "*"} & set(rule.get("apiGroups") or []))
            and bool({self.resource, "*"} & set(rule.get("resources") or []))
            and (not names or self.name in names)
        )


@dataclass(frozen=True)
class Need:
    """A permission, and what it is needed for. ``instead``: another one that does as well."""

    permission: Permission
    purpose: str
    instead: Permission | None = None

    def __str__(self) -> str:
        instead = f", or {self.instead}" if self.instead else ""
        return f"{self.permission}{instead}: for {self.purpose}"


@dataclass
class Answer:
    """``missing``: what is not allowed. ``unknown``: why it could not be asked, empty where it could."""

    missing: list[Need] = field(default_factory=list)
    unknown: str = ""


def needs_of_deletion(discovery: Discovery, bodies: Iterable[Mapping[str, Any]]) -> list[Need]:
    """Return what it takes to delete objects."""
    return [
        Need(
            Permission("delete", identity.group, discovery.plural(identity), identity.namespace, identity.name),
            str(identity),
        )
        for identity in map(Identity.of, bodies)
    ]


def needs_of(discovery: Discovery, planned: Iterable[PlannedObject]) -> list[Need]:
    """Return what the writes of a plan need."""
    needs: dict[Permission, Need] = {}
    for item in planned:
        identity = item.identity
        resource = discovery.plural(identity)
        found = [
            Need(Permission(verb, identity.group, resource, identity.namespace, identity.name), str(identity))
            for verb in VERBS.get(item.result, ())
        ]
        for need in [*found, *(_rights_granted(item) if item.result != "deleted" else [])]:
            needs.setdefault(need.permission, need)
    return list(needs.values())


def _rights_granted(item: PlannedObject) -> list[Need]:
    """Return what the API server asks of whoever grants rights: to hold them, or to be allowed to grant any.

    The rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-creation-or-update
    A RoleBinding to a Role of the release needs the same, and is refused by the server itself where it lacks it.
    """
    identity = item.identity
    if (identity.group, identity.kind) != (RBAC, "Role"):
        return []
    escalate = Permission("escalate", RBAC, "roles", identity.namespace, identity.name)
    return [
        Need(Permission(verb, group, resource, identity.namespace), f"{identity}, which grants it", escalate)
        for rule in item.desired.get("rules") or []
        for verb in rule.get("verbs") or []
        for group in rule.get("apiGroups") or []
        for resource in rule.get("resources") or []
    ]


def refusal(needs: Sequence[Need], namespace: str) -> str:
    """Return what to say of needs that are not met in a release of *namespace*."""
    lines = "\n".join(f"- {need}" for need in needs)
    return (
        f"You may not do all that this run has to do in the namespace {namespace}. Missing are:\n{lines}\n"
        "docs/how-to/deployer.md has a Role that suffices."
    )


def ask(connection: Connection, executor: Executor, namespace: str, needs: Sequence[Need]) -> Answer:
    """Find out which of *needs* are not met. Costs one request, and one for each that its answer leaves open.

    :param namespace: that of the release, whose rules are asked for as a whole.
    """
    try:
        rules = _rules_in(connection, namespace)
        doubtful = [need for need in needs if not _is_granted(need, namespace, rules)]
        refused = concurrently(executor, lambda need: not _is_allowed(connection, need), doubtful)
    except ApiError as error:
        return Answer(unknown=str(error))
    return Answer([need for need, missing in zip(doubtful, refused, strict=True) if missing])


def _rules_in(connection: Connection, namespace: str) -> list[Mapping[str, Any]]:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = connection.request("POST", f"{REVIEWS}/selfsubjectrulesreviews", body=body).body
    return answer["status"].get("resourceRules") or []


def _is_granted(need: Need, namespace: str, rules: Sequence[Mapping[str, Any]]) -> bool:
    # The rules of a namespace hold nothing about what belongs to none, and nothing about other namespaces
    return need.permission.namespace == namespace and any(map(need.permission.granted_by, rules))


def _is_allowed(connection: Connection, need: Need) -> bool:
    """Ask about one permission, as not every authoriser can list its rules."""
    wanted = [need.permission, *([need.instead] if need.instead else [])]
    return any(_review(connection, permission) for permission in wanted)


def _review(connection: Connection, permission: Permission) -> bool:
    resource, _slash, subresource = permission.resource.partition("/")
    attributes = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": permission.namespace,
        "name": permission.name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = connection.request("POST", f"{REVIEWS}/selfsubjectaccessreviews", body=body).body
    return bool(answer["status"].get("allowed"))
