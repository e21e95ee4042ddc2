# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input against a real API server: it is refused before the first write, and the message says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import cluster_access
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_config_map, a_deployment, a_release, an_object

MARK = "marked-value-0123"


def refusal(apply: Apply, objects: list[Any], **settings: Any) -> str:
    """Return the message with which the engine refuses the objects."""
    with pytest.raises(ApplyError) as caught:
        apply(objects, **settings)
    return str(caught.value)


def assert_nothing_in(control_plane: ControlPlane, namespace: str) -> None:
    """Check that no object of a release was written."""
    for path in ("api/v1/namespaces/{}/configmaps/agentsmith-config", "apis/apps/v1/namespaces/{}/deployments/redis"):
        assert control_plane.get("/" + path.format(namespace)) is None


def test_an_older_server_than_asked_for(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    message = refusal(apply, [a_config_map(namespace)], minimum_kubernetes="1.99")
    assert control_plane.url in message
    assert "runs Kubernetes v1." in message
    assert "at least 1.99" in message
    assert "minimum_kubernetes" in message
    assert_nothing_in(control_plane, namespace)


def test_a_changed_value_of_an_immutable_secret(apply: Apply, control_plane: ControlPlane, new_namespace: str) -> None:
    objects = [{**body, "immutable": True} if body["kind"] == "Secret" else body for body in a_release(new_namespace)]
    apply(objects)
    objects[4]["stringData"] = {**objects[4]["stringData"], "github-token": MARK}
    objects[5]["data"] = {"agentsmith.yml": "changed"}
    message = refusal(apply, objects)
    assert f"Secret {new_namespace}/agentsmith-secrets is immutable and would change in data.github-token" in message
    assert f"kubectl -n {new_namespace} delete secret agentsmith-secrets" in message
    assert MARK not in message
    live = control_plane.get(f"/api/v1/namespaces/{new_namespace}/configmaps/agentsmith-config")
    assert live["data"]["agentsmith.yml"] != "changed"


def test_a_minimum_that_yaml_has_read_as_a_number(apply: Apply, namespace: str) -> None:
    assert "in quotes" in refusal(apply, [a_config_map(namespace)], minimum_kubernetes="1.3")


def test_a_minimum_that_the_server_has(apply: Apply, namespace: str) -> None:
    assert apply([a_config_map(namespace)], minimum_kubernetes="1.30")["changed"]


def test_a_kind_that_the_server_does_not_serve(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    unknown = an_object("example.com/v1", "Widget", namespace, "w")
    old = an_object("apps/v1beta1", "Deployment", namespace, "old")
    message = refusal(apply, [a_config_map(namespace), unknown, old])
    assert f"Widget {namespace}/w: the API server {control_plane.url} (Kubernetes v" in message
    assert "does not serve Widget of example.com/v1; it does not know this kind" in message
    assert "does not serve Deployment of apps/v1beta1; it serves this kind as apps/v1" in message
    assert_nothing_in(control_plane, namespace)


def test_a_field_that_does_not_exist(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    deployment = a_deployment(namespace)
    deployment["spec"]["template"]["spec"]["containers"][0]["imagepullpolicy"] = "Never"
    deployment["spec"]["replicas"] = "two"
    del deployment["spec"]["selector"]
    message = refusal(apply, [a_config_map(namespace), deployment])
    assert "spec.template.spec.containers[0].imagepullpolicy does not exist; did you mean imagePullPolicy?" in message
    assert "spec.replicas must be of type integer, but a text is given" in message
    assert "spec.selector is missing" in message
    assert_nothing_in(control_plane, namespace)


def test_what_only_the_server_can_refuse(apply: Apply, namespace: str) -> None:
    deployment = a_deployment(namespace)
    deployment["spec"]["selector"]["matchLabels"] = {"app": "other"}
    message = refusal(apply, [deployment])
    assert f"Deployment {namespace}/redis was refused (422)" in message
    assert "`selector` does not match template `labels`" in message


def test_a_namespace_that_nobody_creates(apply: Apply, new_namespace: str) -> None:
    message = refusal(apply, [a_config_map(new_namespace)])
    assert f"The namespace {new_namespace} does not exist" in message
    assert "agentsmith_namespace" in message


def test_a_namespace_that_is_on_its_way_out(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    held = a_config_map(namespace)
    held["metadata"]["name"] = "held"
    held["metadata"]["finalizers"] = ["example.com/hold"]
    apply([held])
    control_plane.request("DELETE", f"/api/v1/namespaces/{namespace}")
    assert f"The namespace {namespace} is being deleted" in refusal(apply, a_release(namespace))
    path = f"/api/v1/namespaces/{namespace}/configmaps/held"
    control_plane.request("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")


def test_a_missing_namespace_field_and_a_superfluous_one(apply: Apply, namespace: str) -> None:
    message = refusal(apply, [an_object("v1", "ConfigMap", "", "x"), an_object("v1", "Namespace", namespace, "y")])
    assert "ConfigMap x: metadata.namespace is missing" in message
    assert f"Namespace {namespace}/y: metadata.namespace is set" in message


def test_forbidden_is_said_with_the_servers_words(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    token = service_account_token(control_plane, namespace)
    options = {"host": control_plane.url, "api_key": token, "ca_cert": str(control_plane.ca_file)}
    message = refusal(apply, [a_config_map(namespace)], options=options)
    assert f'User "system:serviceaccount:{namespace}:default" cannot get resource "configmaps"' in message


def test_credentials_that_nobody_accepts(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    options = {"host": control_plane.url, "api_key": MARK, "ca_cert": str(control_plane.ca_file)}
    message = refusal(apply, [a_config_map(namespace)], options=options)
    assert "does not accept the credentials (401)" in message
    assert control_plane.url in message
    assert MARK not in message


def test_a_certificate_that_nobody_signed(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    options = {"host": control_plane.url, "api_key": control_plane.token}
    message = refusal(apply, [a_config_map(namespace)], options=options)
    assert "is not trusted" in message
    assert "ca_cert" in message


def test_a_kubeconfig_that_does_not_exist(apply: Apply, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    message = refusal(apply, [], options={"kubeconfig": str(missing), "context": "kind-agentsmith"})
    assert f"The kubeconfig {missing} does not exist; context kind-agentsmith was to be used" in message
    assert "agentsmith_kubeconfig (option kubeconfig, environment variable K8S_AUTH_KUBECONFIG)" in message


def test_a_kubeconfig_that_nobody_named(apply: Apply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    message = refusal(apply, [], options={"kubeconfig": None})
    assert f"The kubeconfig {tmp_path}/.kube/config (the default, because you named none) does not exist" in message


def test_a_context_that_does_not_exist(apply: Apply, control_plane: ControlPlane, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(context="kind-agentsmith"), encoding="utf-8")
    message = refusal(apply, [], options={"kubeconfig": str(kubeconfig), "context": "prod"})
    assert f"The kubeconfig {kubeconfig} has no context prod; it has: kind-agentsmith" in message
    assert "agentsmith_context" in message


def test_a_kubeconfig_with_a_fault_beside_a_secret(apply: Apply, control_plane: ControlPlane, tmp_path: Path) -> None:
    content = json.loads(control_plane.kubeconfig())
    provider = {"name": "oidc", "config": {"refresh-token": MARK}}
    content["users"][0]["user"] = {"auth-provider": provider}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(content), encoding="utf-8")
    message = refusal(apply, [], options={"kubeconfig": str(kubeconfig)})
    assert "has no valid id-token for auth-provider oidc. Run kubectl with this context once" in message
    assert MARK not in message


def test_a_kubeconfig_that_is_no_kubeconfig(apply: Apply, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(f"token: {MARK}\n  broken: [", encoding="utf-8")
    message = refusal(apply, [], options={"kubeconfig": str(kubeconfig)})
    assert f"The kubeconfig {kubeconfig} cannot be used (its current context)" in message
    assert MARK not in message


@pytest.mark.parametrize("way", ["options", "kubeconfig", "kubeconfig and context", "dictionary", "environment"])
def test_the_ways_to_name_a_cluster(
    apply: Apply, control_plane: ControlPlane, namespace: str, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = control_plane.kubeconfig(context="kind-agentsmith")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(text, encoding="utf-8")
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(kubeconfig) if way == "environment" else str(tmp_path / "missing"))
    options = {
        "options": {
            "host": control_plane.url,
            "api_key": control_plane.token,
            "ca_cert": str(control_plane.ca_file),
        },
        "kubeconfig": {"kubeconfig": str(kubeconfig)},
        "kubeconfig and context": {"kubeconfig": str(kubeconfig), "context": "kind-agentsmith"},
        "dictionary": {"kubeconfig": json.loads(text)},
        "environment": {"kubeconfig": None},
    }[way]
    assert apply([a_config_map(namespace)], options=options)["changed"]


def test_the_service_account_of_a_pod_is_used_inside_a_cluster(
    apply: Apply, control_plane: ControlPlane, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text(control_plane.token, encoding="utf-8")
    (tmp_path / "ca.crt").write_bytes(control_plane.ca_file.read_bytes())
    monkeypatch.setattr(cluster_access, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", control_plane.url.rpartition(":")[2])
    assert apply([a_config_map(namespace)], options={"kubeconfig": None})["changed"]


def test_impersonation(apply: Apply, connection_options: dict[str, Any], namespace: str) -> None:
    options = {**connection_options, "impersonate_user": "nobody", "impersonate_groups": ["one", "two"]}
    assert 'User "nobody" cannot get' in refusal(apply, [a_config_map(namespace)], options=options)
    options["impersonate_groups"] = ["one", "system:masters"]
    assert apply([a_config_map(namespace)], options=options)["changed"]


def service_account_token(control_plane: ControlPlane, namespace: str) -> str:
    """Return a token of the namespace's default ServiceAccount, which may do nothing."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    control_plane.request("PATCH", f"{path}?fieldManager=test", account, "application/apply-patch+yaml")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    status, answer = control_plane.request("POST", f"{path}/token", request)
    assert status == 201, answer
    return answer["status"]["token"]
