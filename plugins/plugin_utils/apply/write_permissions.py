# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether whoever runs this may write what is about to be written, asked before the first write.

Every authenticated user may ask about itself (ClusterRole `system:basic-user`), so it takes no permission of its own:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Self

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.discovery import Discovery
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.kinds import kind_of
from ..objects.planned_object import PlannedObject

REVIEWS = "/apis/authorization.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io"
# A server-side apply of what is not there asks for both
# (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
VERBS = {"created": ("create", "patch"), "updated": ("patch",), "deleted": ("delete",)}
# By the kind of a binding and that of the role it binds: what allows to bind it, whatever it grants.
ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}


class NotPermitted(ApplyError):
    """Whoever runs this may not do what the run has to do. Nothing of the release was written."""


@dataclass(frozen=True)
class Permission:
    """A verb on a resource. ``namespace`` is empty for what belongs to none, ``name`` for all objects of the kind."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str = ""

    @classmethod
    def on(cls, verb: str, identity: Identity, resource: str) -> Self:
        """Return the permission for one object. A Namespace counts as one of the objects in it."""
        namespace = identity.name if identity.kind == "Namespace" else identity.namespace
        return cls(verb, identity.group, resource, namespace, identity.name)

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
    """A permission, the object that it is needed for, and why. ``instead``: another one that does as well."""

    permission: Permission
    subject: Identity
    why: str = ""
    instead: Permission | None = None

    def text(self, namespace: str) -> str:
        """Say it, in a release of *namespace*."""
        where = self.permission.namespace
        place = "" if where == namespace else f" in the namespace {where}" if where else " in the whole cluster"
        instead = f", or {self.instead}" if self.instead else ""
        return f"{self.permission}{instead}{place}: for {self.subject}{self.why}"


@dataclass
class Answer:
    """``missing``: what is not allowed. ``unknown``: why something could not be asked, empty where all could."""

    missing: list[Need] = field(default_factory=list)
    unknown: str = ""


def needs_of(discovery: Discovery, planned: Sequence[PlannedObject], undoable: bool = False) -> list[Need]:
    """Return what the writes of a plan need.

    :param undoable: whether what is created may have to be deleted again.
    """
    needs = []
    roles = {item.identity: item.desired for item in planned if item.identity.kind in ROLES}
    for item in planned:
        identity = item.identity
        verbs = VERBS.get(item.result, ())
        if item.result == "updated" and kind_of(identity.group, identity.kind).is_replaced:
            verbs = ("patch", "delete", "create")
        resource = discovery.plural(identity) if verbs else ""
        needs += [Need(Permission.on(verb, identity, resource), identity) for verb in verbs]
        if undoable and item.result == "created" and identity.kind != "Namespace":
            undo = Permission.on("delete", identity, resource)
            needs.append(Need(undo, identity, ", if the deploy fails and is rolled back"))
        if item.result in ("created", "updated"):
            needs += _rights_granted(item, roles)
    unique: dict[tuple[Permission, Permission | None], Need] = {}
    for need in needs:
        unique.setdefault((need.permission, need.instead), need)
    return list(unique.values())


def needs_of_deletion(discovery: Discovery, bodies: Iterable[Mapping[str, Any]]) -> list[Need]:
    """Return what it takes to delete objects."""
    identities = list(map(Identity.of, bodies))
    return [Need(Permission.on("delete", one, discovery.plural(one)), one) for one in identities]


def _rights_granted(item: PlannedObject, roles: Mapping[Identity, Mapping[str, Any]]) -> list[Need]:
    """Return what the API server asks of whoever grants rights: to hold them, or to be allowed to grant any.

    The rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
    What a role grants that is not among the objects is not known here: the API server refuses its binding by itself.
    """
    identity = item.identity
    if identity.group != RBAC:
        return []
    reference = item.desired.get("roleRef") or {}
    granted: Mapping[str, Any]
    if identity.kind in ROLES:
        verb, role, granted = "escalate", identity, item.desired
    else:
        namespace = identity.namespace if reference.get("kind") == "Role" else ""
        role = Identity(identity.api_version, reference.get("kind", ""), namespace, reference.get("name", ""))
        verb, granted = "bind", roles.get(role, {})
    # Both are asked for where the rights are granted, also of a ClusterRole that is bound in one namespace
    instead = Permission(verb, RBAC, ROLES.get(role.kind, ""), identity.namespace, role.name)
    return [
        Need(Permission(right, group, resource, identity.namespace, name), identity, ", which grants it", instead)
        for rule in granted.get("rules") or []
        for right in rule.get("verbs") or []
        for group in rule.get("apiGroups") or []
        for resource in rule.get("resources") or []
        for name in rule.get("resourceNames") or [""]
    ]


def refusal(needs: Sequence[Need], namespace: str) -> str:
    """Return what to say of needs that are not met in a release of *namespace*."""
    lines = [f"- {need.text(namespace)}" for need in needs]
    if any(need.subject.kind == "Namespace" for need in needs):
        lines.append("Without rights on the namespace itself: set namespace_create to false.")
    return "\n".join(
        [
            f"You lack these permissions, which this run needs in the namespace {namespace}:",
            *lines,
            "docs/how-to/deployer.md has a Role for a release with the defaults, and lists what other settings need.",
        ]
    )


def ask(connection: Connection, executor: Executor, namespace: str, needs: Sequence[Need]) -> Answer:
    """Find out which of *needs* are not met. Costs one request, and one for each that its answer leaves open.

    :param namespace: that of the release, whose rules are asked for as a whole.
    """
    answer = Answer()

    def is_missing(need: Need) -> bool:
        try:
            return not any(_review(connection, one) for one in (need.permission, need.instead) if one)
        except ApiError as error:
            answer.unknown = str(error)
            return False

    try:
        rules = _rules_in(connection, namespace)
    except ApiError as error:
        return Answer(unknown=str(error))
    doubtful = [need for need in needs if not _is_granted(need, namespace, rules)]
    refused = concurrently(executor, is_missing, doubtful)
    answer.missing = [need for need, missing in zip(doubtful, refused, strict=True) if missing]
    return answer


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


def _review(connection: Connection, permission: Permission) -> bool:
    """Ask about one permission, as not every authoriser can list its rules."""
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
