# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rule grants what; what the API server says of it is in tests/integration/test_write_permissions.py."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.write_permissions import (
    RBAC,
    Need,
    Permission,
    ask,
    needs_of,
    refusal,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject

PATCH_REDIS = Permission("patch", "apps", "deployments", "agentsmith", "redis")
REDIS = Identity("apps/v1", "Deployment", "agentsmith", "redis")
RULE = {"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["deployments"]}


@pytest.mark.parametrize(
    ("change", "granted"),
    [
        ({}, True),
        ({"verbs": ["*"]}, True),
        ({"apiGroups": ["*"]}, True),
        ({"resources": ["*"]}, True),
        ({"resourceNames": ["redis"]}, True),
        ({"verbs": ["create"]}, False),
        ({"apiGroups": [""]}, False),
        ({"resources": ["deployments/scale"]}, False),
        ({"resourceNames": ["other"]}, False),
    ],
)
def test_a_rule_grants_what_it_names(change: dict[str, Any], granted: bool) -> None:
    assert PATCH_REDIS.granted_by({**RULE, **change}) is granted


def test_a_rule_for_one_name_does_not_grant_all() -> None:
    every = Permission("create", "apps", "deployments", "agentsmith")
    assert not every.granted_by({**RULE, "verbs": ["create"], "resourceNames": ["redis"]})


class Reviewer:
    """Stands in for the API server: the rules that it lists, and what it allows."""

    def __init__(self, rules: list[dict[str, Any]], allowed: set[str]) -> None:
        self._rules = rules
        self._allowed = allowed
        self.asked: list[Mapping[str, Any]] = []

    def request(self, method: str, path: str, *, body: Any) -> Any:
        assert method == "POST"
        if path.endswith("selfsubjectrulesreviews"):
            return SimpleNamespace(body={"status": {"resourceRules": self._rules, "incomplete": True}})
        attributes = body["spec"]["resourceAttributes"]
        self.asked.append(attributes)
        return SimpleNamespace(body={"status": {"allowed": attributes["verb"] in self._allowed}})


def asked(reviewer: Any, *permissions: Permission, instead: Permission | None = None) -> Any:
    needs = [Need(permission, REDIS, instead=instead) for permission in permissions]
    with ThreadPoolExecutor(1) as executor:
        return ask(reviewer, executor, "agentsmith", needs)


def test_what_the_rules_grant_is_not_asked_again() -> None:
    reviewer = Reviewer([RULE], set())
    assert asked(reviewer, PATCH_REDIS).missing == []
    assert reviewer.asked == []


def test_an_authoriser_that_lists_no_rules_is_asked_one_by_one() -> None:
    reviewer = Reviewer([], {"patch"})
    assert asked(reviewer, PATCH_REDIS).missing == []
    assert reviewer.asked == [
        {
            "verb": "patch",
            "group": "apps",
            "resource": "deployments",
            "subresource": "",
            "namespace": "agentsmith",
            "name": "redis",
        }
    ]


def test_rules_of_the_namespace_say_nothing_about_what_is_in_none() -> None:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    answer = asked(Reviewer([everything], set()), Permission("create", "", "namespaces", ""))
    assert [str(need.permission) for need in answer.missing] == ["create namespaces"]


def test_a_permission_that_does_as_well_is_enough() -> None:
    grant = Permission("create", "batch", "jobs", "agentsmith")
    escalate = Permission("escalate", "rbac.authorization.k8s.io", "roles", "agentsmith")
    assert asked(Reviewer([], {"escalate"}), grant, instead=escalate).missing == []
    assert len(asked(Reviewer([], set()), grant, instead=escalate).missing) == 1


def test_a_subresource_is_asked_for_as_one() -> None:
    reviewer = Reviewer([], {"get"})
    asked(reviewer, Permission("get", "", "pods/log", "agentsmith"))
    assert (reviewer.asked[0]["resource"], reviewer.asked[0]["subresource"]) == ("pods", "log")


def test_a_server_that_answers_no_questions_leaves_it_unknown() -> None:
    def request(*_arguments: Any, **_options: Any) -> Any:
        raise ApiError(403, "Forbidden", "selfsubjectrulesreviews is forbidden")

    answer = asked(SimpleNamespace(request=request), PATCH_REDIS)
    assert answer.missing == []
    assert answer.unknown == "selfsubjectrulesreviews is forbidden"


def test_one_answer_that_fails_does_not_hide_the_others() -> None:
    """Two that fail are no fault of the run either."""

    def request(method: str, path: str, *, body: Any) -> Any:
        if path.endswith("selfsubjectrulesreviews"):
            return SimpleNamespace(body={"status": {"resourceRules": []}})
        if body["spec"]["resourceAttributes"]["verb"] != "delete":
            raise ApiError(403, "Forbidden", f"{method} is forbidden")
        return SimpleNamespace(body={"status": {"allowed": False}})

    verbs = ("patch", "create", "delete")
    permissions = [Permission(verb, "apps", "deployments", "agentsmith", "redis") for verb in verbs]
    answer = asked(SimpleNamespace(request=request), *permissions)
    assert [need.permission.verb for need in answer.missing] == ["delete"]
    assert answer.unknown == "POST is forbidden"


def planned(kind: str, result: str, **content: Any) -> PlannedObject:
    metadata = {"name": "x", "namespace": "agentsmith"}
    body = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, **content}
    return PlannedObject(body, "", None, result)


DISCOVERY: Any = SimpleNamespace(plural=lambda identity: f"{identity.kind.lower()}s")
GRANT = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]}


def test_a_role_takes_the_rights_that_it_grants_by_their_names() -> None:
    needs = needs_of(DISCOVERY, [planned("Role", "created", rules=[GRANT])])
    granted = [need for need in needs if need.instead]
    assert [need.permission for need in granted] == [Permission("get", "", "secrets", "agentsmith", "one")]
    assert granted[0].instead == Permission("escalate", RBAC, "roles", "agentsmith", "x")


@pytest.mark.parametrize("result", ["unchanged", "deleted"])
def test_a_role_that_is_not_written_takes_none(result: str) -> None:
    needs = needs_of(DISCOVERY, [planned("Role", result, rules=[GRANT])])
    assert [need.permission.verb for need in needs] == (["delete"] if result == "deleted" else [])


def test_a_binding_takes_the_rights_of_its_role_or_bind() -> None:
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "x"}
    roles = planned("Role", "unchanged", rules=[GRANT])
    needs = needs_of(DISCOVERY, [roles, planned("RoleBinding", "created", roleRef=reference)])
    assert [str(need.instead) for need in needs if need.instead] == [f"bind roles.{RBAC}"]


def test_a_namespace_counts_as_in_itself() -> None:
    """So does the API server: a Role in a namespace may grant verbs on it."""
    namespace = Identity("v1", "Namespace", "", "agentsmith")
    assert Permission.on("patch", namespace, "namespaces").namespace == "agentsmith"
    need = Need(Permission.on("create", namespace, "namespaces"), namespace)
    assert "set namespace_create to false" in refusal([need], "agentsmith")


@pytest.mark.parametrize(
    ("where", "place"), [("agentsmith", ""), ("other", " in the namespace other"), ("", " in the whole cluster")]
)
def test_a_need_says_where(where: str, place: str) -> None:
    need = Need(Permission("create", "", "secrets", where), REDIS)
    assert need.text("agentsmith") == f"create secrets{place}: for Deployment agentsmith/redis"


@pytest.mark.parametrize(
    ("api_version", "kind", "verbs"),
    [
        ("batch/v1", "Job", {"patch", "delete", "create"}),
        ("v1", "Pod", {"patch", "delete", "create"}),
        ("batch/v1", "CronJob", {"patch"}),
        ("apps/v1", "StatefulSet", {"patch"}),
    ],
)
def test_an_update_of_what_may_have_to_be_made_again_needs_more(api_version: str, kind: str, verbs: set[str]) -> None:
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}}
    discovery = SimpleNamespace(plural=lambda identity: f"{identity.kind.lower()}s")
    needs = needs_of(discovery, [PlannedObject(body, "", body, "updated")])  # type: ignore[arg-type]
    assert {need.permission.verb for need in needs} == verbs
