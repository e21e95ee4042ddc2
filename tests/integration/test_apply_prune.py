# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a release no longer has are deleted, and nothing else is, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.labels import COMPONENT_LABEL
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from control_plane import ControlPlane
from engine import Apply
from release_objects import RBAC, a_config_map, a_deployment, a_job, a_release, a_secret, an_object
from stand_in_kubelet import ready, stand_in_kubelet

ADMISSION = "admissionregistration.k8s.io/v1"


def deleted(result: dict[str, Any]) -> list[str]:
    """Return kind and name of what a run deleted."""
    return [f"{entry['kind']}/{entry['name']}" for entry in result["objects"] if entry["result"] == "deleted"]


def create(control_plane: ControlPlane, path: str, body: dict[str, Any]) -> None:
    status, answer = control_plane.request("POST", path, body)
    assert status == 201, answer


def a_policy(name: str, namespace: str) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "true"}]}
    policy = an_object(ADMISSION, "ValidatingAdmissionPolicy", "", name, spec=spec)
    policy["metadata"]["labels"]["agentsmith.platform/namespace"] = namespace
    return policy


def test_what_is_no_longer_wanted_goes_and_the_second_run_is_quiet(
    apply: Apply, control_plane: ControlPlane, new_namespace: str
) -> None:
    owner = Owner(new_namespace, "agentsmith")
    policy = a_policy(new_namespace, new_namespace)
    apply([*a_release(new_namespace), policy])
    kept = [body for body in a_release(new_namespace) if body["metadata"]["name"] != "redis"]
    preview = apply(kept, prune=owner, check_mode=True, diff_mode=True)
    result = apply(kept, prune=owner, diff_mode=True)
    gone = ["Deployment/redis", "NetworkPolicy/redis", "Service/redis", f"ValidatingAdmissionPolicy/{new_namespace}"]
    assert sorted(deleted(result)) == gone
    assert result["changed"]
    assert preview["objects"] == result["objects"]
    assert preview["diff"] == result["diff"]
    assert preview["requests"]["write"] == 0
    assert [entry["after"] for entry in result["diff"]] == [""] * len(gone)
    assert control_plane.get(f"/apis/apps/v1/namespaces/{new_namespace}/deployments/redis") is None
    assert control_plane.get(f"/apis/{ADMISSION}/validatingadmissionpolicies/{new_namespace}") is None
    again = apply(kept, prune=owner)
    assert not again["changed"]
    assert again["requests"]["write"] == 0
    assert again["requests"]["read"] <= 3 + len(kept) + 20


def test_a_secret_that_goes_is_shown_without_its_values(apply: Apply, namespace: str) -> None:
    apply([a_config_map(namespace, key="v"), a_secret(namespace, **{"github-token": "ghp_0123456789"})])
    result = apply([a_config_map(namespace, key="v")], prune=Owner(namespace, "agentsmith"), diff_mode=True)
    assert deleted(result) == ["Secret/agentsmith-secrets"]
    assert "github-token: '********" in result["diff"][0]["before"]
    assert "Z2hwXzAxMjM0NTY3ODk" not in str(result)


def test_nothing_of_others_goes(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    keep = a_config_map(namespace, key="v")
    apply([keep])
    foreign = an_object("v1", "ConfigMap", namespace, "foreign")
    foreign["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    unlabelled = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unlabelled", "namespace": namespace}}
    instance = an_object("v1", "ConfigMap", namespace, "other-instance")
    instance["metadata"]["labels"]["app.kubernetes.io/instance"] = "staging"
    owned = an_object("v1", "ConfigMap", namespace, "owned")
    uid = control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "agentsmith-config", "uid": uid}
    owned["metadata"]["ownerReferences"] = [owner]
    for body in (foreign, unlabelled, instance, owned):
        create(control_plane, f"/api/v1/namespaces/{namespace}/configmaps", body)
    create(control_plane, f"/apis/batch/v1/namespaces/{namespace}/jobs", a_job(namespace))
    elsewhere = a_policy(f"of-another-namespace-{namespace}", "elsewhere")
    create(control_plane, f"/apis/{ADMISSION}/validatingadmissionpolicies", elsewhere)
    result = apply([keep], prune=Owner(namespace, "agentsmith"))
    assert not result["changed"]
    assert result["requests"]["write"] == 0


def test_a_part_alone_prunes_its_own_objects(apply: Apply, namespace: str) -> None:
    objects = []
    for component in ("redis", "dispatcher"):
        for name in ("kept", "dropped"):
            body = an_object("v1", "ConfigMap", namespace, f"{component}-{name}", data={})
            body["metadata"]["labels"][COMPONENT_LABEL] = component
            objects.append(body)
    apply(objects)
    assert deleted(apply(objects[:1], prune=Owner(namespace, "agentsmith", "redis"))) == ["ConfigMap/redis-dropped"]
    assert deleted(apply([], prune=Owner(namespace, "agentsmith", "redis"))) == ["ConfigMap/redis-kept"]


def test_an_empty_release_is_refused(apply: Apply, namespace: str) -> None:
    apply([a_config_map(namespace, key="v")])
    with pytest.raises(ApplyError, match="Nothing was changed"):
        apply([], prune=Owner(namespace, "agentsmith"))
    assert not apply([a_config_map(namespace, key="v")])["changed"]


def test_nothing_goes_while_the_new_objects_do_not_work(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    owner = Owner(namespace, "agentsmith")
    apply([a_config_map(namespace, key="v")])
    with pytest.raises(ApplyError, match="is not ready"):
        apply([a_deployment(namespace)], prune=owner, wait=True, wait_timeout=1)
    assert control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config")
    with stand_in_kubelet(control_plane, namespace, ready()):
        assert deleted(apply([a_deployment(namespace)], prune=owner, wait=True)) == ["ConfigMap/agentsmith-config"]


def test_a_kind_that_may_not_be_listed_stays_with_a_warning(
    apply: Apply, control_plane: ControlPlane, connection_options: dict[str, Any], namespace: str
) -> None:
    apply([a_config_map(namespace, key="v"), an_object("v1", "ConfigMap", namespace, "dropped", data={})])
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"]}]
    rules += [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    role = {"apiGroup": RBAC, "kind": "Role", "name": "narrow"}
    subject = {"kind": "ServiceAccount", "name": "narrow", "namespace": namespace}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "narrow", "namespace": namespace}}
    create(control_plane, f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    rbac = f"/apis/{RBAC}/v1/namespaces/{namespace}"
    create(control_plane, f"{rbac}/roles", an_object(f"{RBAC}/v1", "Role", namespace, "narrow", rules=rules))
    binding = an_object(f"{RBAC}/v1", "RoleBinding", namespace, "narrow", roleRef=role, subjects=[subject])
    create(control_plane, f"{rbac}/rolebindings", binding)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/narrow/token"
    _status, answer = control_plane.request("POST", path, {"spec": {}})
    options = {**connection_options, "api_key": answer["status"]["token"]}
    result = apply([a_config_map(namespace, key="v")], options, prune=Owner(namespace, "agentsmith"))
    assert result["warnings"] == ["Objects of the kind ConfigMap cannot be listed, so none of them was pruned."]
    assert not result["changed"]
