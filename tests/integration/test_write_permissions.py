# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys by somebody with few rights: the documented Role suffices, and what lacks is named before the first write."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import (
    KILL,
    Teardown,
    TeardownSettings,
)
from awaiting import await_true
from control_plane import ControlPlane
from engine import Play
from release_objects import RBAC, a_job, a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

DEPLOYER = "deployer"
DOCUMENTED = Path(__file__).parents[2] / "docs/how-to/deployer-role.yml"
Rules = list[dict[str, Any]]


def may(control_plane: ControlPlane, namespace: str, resource: str, verb: str, user: str = DEPLOYER) -> bool:
    """Ask the API server whether somebody may do something: it sees a changed Role a moment later.

    :param resource: as in `jobs.batch`, of the core group without a group.
    """
    plural, _dot, group = resource.partition(".")
    attributes = {"namespace": namespace, "resource": plural, "group": group, "verb": verb}
    if plural == "roles":
        attributes["name"] = "agentsmith"
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {**review, "spec": {"resourceAttributes": attributes}}
    return control_plane.request("POST", path, body, user=user)[1]["status"]["allowed"]


def set_rules(control_plane: ControlPlane, namespace: str, rules: Rules, resource: str, verb: str) -> None:
    """Let whoever deploys hold other rules. Wait until they are seen, by a verb that they change."""
    before = may(control_plane, namespace, resource, verb)
    path = f"/apis/{RBAC}/v1/namespaces/{namespace}/roles/{DEPLOYER}"
    status, answer = control_plane.request("PATCH", path, {"rules": rules}, "application/merge-patch+json")
    assert status == 200, answer
    await_true(lambda: may(control_plane, namespace, resource, verb) != before)


@pytest.fixture
def rules() -> Rules:
    """The rules of the documented Role."""
    return yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8"))["rules"]


@pytest.fixture
def release_of(
    control_plane: ControlPlane, connection_options: dict[str, Any], namespace: str
) -> Callable[[Rules], Release]:
    """A release that is deployed by somebody who holds the rules that are given, in its namespace and nowhere else."""

    return lambda rules: held(control_plane, namespace, connection_options, rules)


def held(control_plane: ControlPlane, namespace: str, connection_options: dict[str, Any], rules: Rules) -> Release:
    """Give the rules to whoever deploys, and return the release as he sees it."""
    role = an_object(f"{RBAC}/v1", "Role", namespace, DEPLOYER, rules=rules)
    subject = {"apiGroup": RBAC, "kind": "User", "name": DEPLOYER}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": DEPLOYER}
    binding = an_object(f"{RBAC}/v1", "RoleBinding", namespace, DEPLOYER, roleRef=reference, subjects=[subject])
    for body, plural in ((role, "roles"), (binding, "rolebindings")):
        body["metadata"]["labels"] = {}
        status, answer = control_plane.request("POST", f"/apis/{RBAC}/v1/namespaces/{namespace}/{plural}", body)
        assert status == 201, answer
    await_true(lambda: may(control_plane, namespace, "configmaps", "get"))
    return Release(namespace, {**connection_options, "impersonate_user": DEPLOYER})


def objects_in(namespace: str) -> list[dict[str, Any]]:
    return a_release(namespace)[1:]


def without(rules: Rules, resource: str, verb: str) -> Rules:
    """Return the rules without a verb on a resource."""
    left = []
    for rule in deepcopy(rules):
        if resource in rule["resources"]:
            alone = {**rule, "resources": [resource], "verbs": [name for name in rule["verbs"] if name != verb]}
            rule["resources"].remove(resource)
            left.append(alone)
        if rule["resources"]:
            left.append(rule)
    return left


def reading(rules: Rules) -> Rules:
    """Return what of the rules reads."""
    verbs = [[verb for verb in rule["verbs"] if verb in ("get", "list")] for rule in rules]
    return [{**rule, "verbs": left} for rule, left in zip(rules, verbs, strict=True) if left]


def versions(control_plane: ControlPlane, namespace: str) -> dict[str, str]:
    """Return the versions of what a run could have written. The account `default` comes when it comes."""
    space = f"namespaces/{namespace}"
    paths = [f"/api/v1/{space}/{name}" for name in ("secrets", "configmaps", "services", "serviceaccounts")]
    paths += [f"/apis/{RBAC}/v1/{space}/{name}" for name in ("roles", "rolebindings")]
    paths += [f"/apis/coordination.k8s.io/v1/{space}/leases", f"/apis/apps/v1/{space}/deployments"]
    found = [(path, body["metadata"]) for path in paths for body in control_plane.get(path)["items"]]
    written = [(path, metadata) for path, metadata in found if metadata["name"] != "default"]
    return {f"{path}/{metadata['name']}": metadata["resourceVersion"] for path, metadata in written}


def test_the_documented_role_suffices(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(rules)
    preview = release.apply(objects_in(namespace), check_mode=True)
    assert not preview.get("failed"), preview
    assert {entry["result"] for entry in preview["objects"]} == {"created"}
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        first = release.deploy(objects_in(namespace))
        assert first["commit"]["recorded"], first
        fewer = [body for body in objects_in(namespace) if body["kind"] != "NetworkPolicy"]
        second = release.deploy(fewer)
    assert [entry["result"] for entry in second["commit"]["objects"]] == ["deleted"], second
    assert not any("cannot be listed" in text for text in second["commit"].get("warnings", []))


@pytest.mark.parametrize(
    ("resource", "verb", "missing"),
    [
        ("networkpolicies", "create", "create networkpolicies.networking.k8s.io: for NetworkPolicy {}/redis"),
        ("deployments", "patch", "patch deployments.apps: for Deployment {}/redis"),
        ("leases", "create", "create leases.coordination.k8s.io: for Lease {}/agentsmith-release, the lock"),
        (
            "jobs",
            "create",
            f"create jobs.batch, or escalate roles.{RBAC}: for Role {{}}/agentsmith, which grants it",
        ),
    ],
)
def test_a_missing_verb_is_named_and_nothing_is_written(
    control_plane: ControlPlane,
    namespace: str,
    release_of: Callable[[Rules], Release],
    rules: Rules,
    resource: str,
    verb: str,
    missing: str,
) -> None:
    release = release_of(without(rules, resource, verb))
    before = versions(control_plane, namespace)
    result = release.apply(objects_in(namespace))
    assert result["failed"]
    assert f"in the namespace {namespace}" in result["msg"]
    assert f"- {missing.format(namespace)}\n" in result["msg"]
    named = [line for line in result["msg"].splitlines() if line.startswith("- ")]
    assert all(line.startswith(f"- {verb} {resource}") for line in named), "all else is allowed"
    assert "docs/how-to/deployer.md" in result["msg"]
    assert not result["transaction"]["started"], "there is nothing to undo"
    assert result["requests"]["write"] == 0
    assert versions(control_plane, namespace) == before


def test_all_that_lacks_is_named_at_once(namespace: str, release_of: Callable[[Rules], Release], rules: Rules) -> None:
    result = release_of(reading(rules)).apply(objects_in(namespace))
    for text in ("create secrets", "patch secrets", "patch services", "update leases.coordination.k8s.io"):
        assert f"- {text}: for" in result["msg"]
    assert result["requests"]["write"] == 0


def test_who_may_grant_anything_needs_not_hold_it(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    """`escalate` and `bind` stand for holding the rights: https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""
    granting = {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["escalate"], "resourceNames": ["agentsmith"]}
    release = release_of([*without(rules, "jobs", "create"), granting])
    half = release.apply(objects_in(namespace))
    binding = f"- create jobs.batch, or bind roles.{RBAC}: for RoleBinding {namespace}/agentsmith, which grants it"
    assert [line for line in half["msg"].splitlines() if line.startswith("- ")] == [binding]
    granting["verbs"].append("bind")
    set_rules(control_plane, namespace, [*without(rules, "jobs", "create"), granting], f"roles.{RBAC}", "bind")
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        result = release.deploy(objects_in(namespace))
    assert result["commit"]["recorded"], result


@pytest.mark.parametrize(
    ("resource", "verb"), [("leases", "create"), ("networkpolicies", "create"), ("jobs", "create")]
)
def test_a_missing_verb_is_a_warning_of_a_preview(
    namespace: str, release_of: Callable[[Rules], Release], rules: Rules, resource: str, verb: str
) -> None:
    result = release_of(without(rules, resource, verb)).apply(objects_in(namespace), check_mode=True)
    assert not result.get("failed"), result
    (warning,) = result["warnings"]
    assert warning.startswith("A real run would be refused.")
    assert f"- {verb} {resource}" in warning
    assert {entry["result"] for entry in result["objects"]} == {"created"}


def test_who_may_only_read_can_preview(namespace: str, release_of: Callable[[Rules], Release], rules: Rules) -> None:
    result = release_of(reading(rules)).apply(objects_in(namespace), check_mode=True)
    assert not result.get("failed"), result
    assert len(result["objects"]) == len(objects_in(namespace))
    assert result["requests"]["dry_run"] == 0, "each would be refused"


def test_a_role_that_stays_as_it_is_asks_for_no_rights(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
        set_rules(control_plane, namespace, without(rules, "jobs", "create"), "jobs.batch", "create")
        changed = objects_in(namespace)
        next(body for body in changed if body["kind"] == "ConfigMap")["data"] = {"agentsmith.yml": "# changed\n"}
        result = release.deploy(changed)
    assert result["commit"]["recorded"], result


def test_what_a_failed_deploy_would_have_to_undo_is_asked_for(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(without(rules, "services", "delete"))
    added = an_object("v1", "Service", namespace, "added", spec={"ports": [{"port": 1}], "selector": {"app": "x"}})
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        first = release.deploy(objects_in(namespace))
        assert first["commit"]["recorded"], "a first deploy is not undone"
        refused = release.apply([*objects_in(namespace), added])
    undo = f"- delete services: for Service {namespace}/added, if the deploy fails and is rolled back"
    assert undo in refused["msg"]
    assert control_plane.get(f"/api/v1/namespaces/{namespace}/services/added") is None


def test_rights_of_a_new_namespace_are_asked_for_when_it_is_there(
    control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str
) -> None:
    """Such rights may come with it. Without them the Namespace is all that was made."""
    user = f"maker-{new_namespace}"
    making = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "create", "patch"]}]
    looking = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    subject = {"apiGroup": RBAC, "kind": "User", "name": user}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": user}
    for plural, body in (
        ("clusterroles", an_object(f"{RBAC}/v1", "ClusterRole", "", user, rules=[*making, *looking])),
        ("clusterrolebindings", an_object(f"{RBAC}/v1", "ClusterRoleBinding", "", user, roleRef=reference)),
    ):
        body["metadata"]["labels"] = {}
        if plural == "clusterrolebindings":
            body["subjects"] = [subject]
        assert control_plane.request("POST", f"/apis/{RBAC}/v1/{plural}", body)[0] == 201
    await_true(lambda: may(control_plane, "", "namespaces", "create", user))
    release = Release(new_namespace, {**connection_options, "impersonate_user": user})
    result = release.apply(a_release(new_namespace))
    assert f"- create secrets: for Secret {new_namespace}/agentsmith-secrets" in result["msg"]
    assert result["msg"].endswith("Nothing was made but the Namespace.")
    assert not result["transaction"]["started"]
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is not None
    assert "agentsmith-release" not in str(versions(control_plane, new_namespace))


def test_a_rollback_names_what_lacks(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
        release.deploy([body for body in objects_in(namespace) if body["kind"] != "NetworkPolicy"])
        set_rules(
            control_plane,
            namespace,
            without(rules, "networkpolicies", "create"),
            "networkpolicies.networking.k8s.io",
            "create",
        )
        before = versions(control_plane, namespace)
        refused = release.restore("previous")
        assert f"- create networkpolicies.networking.k8s.io: for NetworkPolicy {namespace}/redis" in refused["msg"]
        assert "The present release is back" not in refused["msg"]
        assert versions(control_plane, namespace) == before
        set_rules(control_plane, namespace, rules, "networkpolicies.networking.k8s.io", "create")
        assert release.restore("previous")["restored"]


def test_an_unchanged_release_asks_nobody(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    """Who may only read may find out that nothing is to be done."""
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
    set_rules(control_plane, namespace, reading(rules), "secrets", "patch")
    result = release.apply(objects_in(namespace))
    assert not result.get("failed"), result
    assert not result["transaction"]["opened"]


def test_a_rollback_that_fails_brings_the_present_release_back_as_far_as_it_may(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    """What it creates, it may have to delete: that is asked for. The way back asks nothing any more."""
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
        release.deploy([body for body in objects_in(namespace) if body["kind"] != "NetworkPolicy"])
        lacking = without(rules, "networkpolicies", "delete")
        set_rules(control_plane, namespace, lacking, "networkpolicies.networking.k8s.io", "delete")
        refused = release.restore("previous")
    undo = f"- delete networkpolicies.networking.k8s.io: for NetworkPolicy {namespace}/redis, if the deploy fails"
    assert undo in refused["msg"]
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/redis"
    assert control_plane.get(path) is None


def test_a_preview_of_a_change_that_may_not_be_tried_shows_no_deletion(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
    set_rules(control_plane, namespace, reading(rules), "secrets", "patch")
    changed = objects_in(namespace)
    next(body for body in changed if body["kind"] == "ConfigMap")["data"] = {"agentsmith.yml": "# changed\n"}
    preview = release.apply(changed, check_mode=True, diff_mode=True)
    assert not preview.get("failed"), preview
    assert [entry["result"] for entry in preview["objects"] if entry["kind"] == "ConfigMap"] == ["updated"]
    assert preview["diff"] == []


def test_a_rotation_names_what_lacks_in_all_it_writes(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules, play: Play
) -> None:
    release = release_of(rules)
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
        set_rules(control_plane, namespace, reading(rules), "secrets", "patch")
        rotated = objects_in(namespace)
        next(body for body in rotated if body["kind"] == "Secret")["stringData"]["github-token"] = "ghp_9876543210"
        options = {
            **release.options,
            "secret": "agentsmith-secrets",
            "namespace": namespace,
            "keys": ["github-token"],
            "transaction": {"namespace": namespace, "instance": "agentsmith"},
        }
        before = versions(control_plane, namespace)
        ended = play(rotated, options, action="rotate_secret")
        assert ended.returncode != 0
        assert f"- patch secrets: for Secret {namespace}/agentsmith-secrets" in ended.stdout
        preview = play(rotated, options, "--check", action="rotate_secret")
        assert preview.returncode == 0, preview.stdout
        assert "A real run would be refused." in preview.stdout + preview.stderr
        assert versions(control_plane, namespace) == before


@pytest.mark.parametrize("adopted", [False, True], ids=["made with the release", "there before"])
def test_a_namespace_that_may_not_be_deleted_or_changed_is_kept(
    control_plane: ControlPlane, new_namespace: str, connection_options: dict[str, Any], rules: Rules, adopted: bool
) -> None:
    """An administrator deployed the release; who tears it down holds the documented Role. So does the second run."""
    if adopted:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": new_namespace}}
        assert control_plane.request("POST", "/api/v1/namespaces", body)[0] == 201
    with stand_in_kubelet(control_plane, new_namespace, lambda _pod: ready()):
        Release(new_namespace, connection_options).deploy(a_release(new_namespace))
        release = held(control_plane, new_namespace, connection_options, rules)
        for is_first in (True, False):
            with Connection(release.options) as connection:
                teardown = Teardown(connection, release.owner, TeardownSettings())
                teardown.execute()
            result = teardown.result()
            assert result["changed"] == is_first
            assert result["namespace"]["result"] == "kept"
            assert result["namespace"]["reason"] == "you may not delete or change it"
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}/secrets/agentsmith-secrets") is None


def test_a_teardown_needs_the_documented_role_and_names_what_lacks(
    control_plane: ControlPlane, namespace: str, release_of: Callable[[Rules], Release], rules: Rules
) -> None:
    release = release_of(rules)

    def tear_down(**settings: Any) -> dict[str, Any]:
        with Connection(release.options) as connection:
            teardown = Teardown(connection, release.owner, TeardownSettings(jobs=KILL, **settings))
            teardown.execute()
            return teardown.result()

    job = a_job(namespace, "agentsmith-0123456789ab")
    job["metadata"]["labels"] = {"app": "agentsmith", "job-id": "0123456789ab"}
    with stand_in_kubelet(control_plane, namespace, lambda _pod: ready()):
        release.deploy(objects_in(namespace))
        assert control_plane.request("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", job)[0] == 201
        lacking = without(without(rules, "services", "delete"), "jobs", "delete")
        set_rules(control_plane, namespace, lacking, "services", "delete")
        before = versions(control_plane, namespace)
        with pytest.raises(ApplyError) as refused:
            tear_down()
        assert f"- delete services: for Service {namespace}/redis" in str(refused.value)
        assert f"- delete jobs.batch: for Job {namespace}/agentsmith-0123456789ab" in str(refused.value)
        preview = tear_down(check_mode=True)
        assert preview["warnings"][0].startswith("A real run would be refused.")
        assert any(entry["kind"] == "Service" for entry in preview["objects"])
        assert versions(control_plane, namespace) == before
        set_rules(control_plane, namespace, rules, "services", "delete")
        tear_down()
    left = [path for path in versions(control_plane, namespace) if not path.endswith(f"/{DEPLOYER}")]
    # The namespace stays, and the history of the release in it
    assert left == [f"/api/v1/namespaces/{namespace}/secrets/agentsmith-release"]
