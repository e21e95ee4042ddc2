# SPDX-License-Identifier: GPL-3.0-or-later
"""A release of another tool becomes ours: refused unasked, previewed, taken over, and unchanged afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane
from release_objects import LABELS, RBAC, a_config_map, a_deployment, an_object
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "RoleBinding": f"/apis/{RBAC}/v1/namespaces/{{}}/rolebindings",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
}
Objects = list[dict[str, Any]]
Make = Callable[["Others", Objects], None]


class Others:
    """The other tools, as they write to the API server."""

    def __init__(self, control_plane: ControlPlane, namespace: str, directory: Path) -> None:
        self._control_plane = control_plane
        self._namespace = namespace
        self._kubeconfig = directory / "kubeconfig"
        self._kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def kubectl(self, *arguments: str, given: str = "") -> None:
        command = [
            Path(os.environ["AGENTSMITH_KUBERNETES_BIN"], "kubectl"),
            f"--kubeconfig={self._kubeconfig}",
            f"--cache-dir={self._kubeconfig.parent / 'cache'}",
            f"--namespace={self._namespace}",
        ]
        subprocess.run([*command, *arguments], input=given, text=True, check=True, capture_output=True, timeout=60)

    def create(self, manager: str, bodies: Objects) -> None:
        for body in bodies:
            path = PATHS[body["kind"]].format(self._namespace)
            status, answer = self._control_plane.request("POST", f"{path}?fieldManager={manager}", body)
            assert status == 201, answer

    def apply(self, manager: str, bodies: Objects) -> None:
        for body in bodies:
            path = f"{PATHS[body['kind']].format(self._namespace)}/{body['metadata']['name']}"
            query = f"?fieldManager={manager}&force=true"
            status, answer = self._control_plane.request("PATCH", path + query, body, APPLY)
            assert status in (200, 201), answer


def by_kubectl_apply(others: Others, bodies: Objects) -> None:
    others.kubectl("apply", "--filename=-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies}))


def by_kubectl_create_and_edit(others: Others, bodies: Objects) -> None:
    others.create("kubectl-create", bodies)
    for body in bodies:
        others.kubectl("label", body["kind"], body["metadata"]["name"], "team=old", "--overwrite")


def by_helm(others: Others, bodies: Objects) -> None:
    noted = deepcopy(bodies)
    for body in noted:
        body["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "agentsmith-0.1.0"}
        body["metadata"]["annotations"] = {"meta.helm.sh/release-name": "smith"}
    record = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sh.helm.release.v1.smith.v1", "labels": {"owner": "helm", "name": "smith"}},
        "type": "helm.sh/release.v1",
        "stringData": {"release": "MARKED"},
    }
    others.create("helm", [*noted, record])


def by_argo_cd(others: Others, bodies: Objects) -> None:
    noted = deepcopy(bodies)
    for body in noted:
        body["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": f"smith:{body['metadata']['name']}"}
    others.apply("argocd-controller", noted)


def by_flux(others: Others, bodies: Objects) -> None:
    noted = deepcopy(bodies)
    for body in noted:
        body["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "smith"}
    others.apply("kustomize-controller", noted)


TOOLS: dict[str, tuple[Make, str]] = {
    "kubectl apply": (by_kubectl_apply, "kubectl-client-side-apply"),
    "kubectl create": (by_kubectl_create_and_edit, "kubectl-create"),
    "Helm": (by_helm, "helm"),
    "Argo CD": (by_argo_cd, "argocd-controller"),
    "Flux": (by_flux, "kustomize-controller"),
}


def wanted(namespace: str) -> Objects:
    """Return what the release states."""
    port = {"port": 6379, "targetPort": 6379}
    return [
        a_config_map(namespace, key="ours"),
        an_object("v1", "Service", namespace, "redis", spec={"selector": {"app": "redis"}, "ports": [port]}),
        a_deployment(namespace),
    ]


def as_others_have_it(namespace: str) -> Objects:
    """Return the same objects with other values and more of them, and one that the release does not state."""
    config, service, deployment = deepcopy(wanted(namespace))
    config["data"] = {"key": "theirs", "gone": "x"}
    service["spec"]["sessionAffinity"] = "ClientIP"
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "OLD", "value": "x"})
    container["image"] = "redis:old"
    deployment["spec"]["template"]["spec"]["containers"].append({"name": "exporter", "image": "exporter"})
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old-dashboard"}, "data": {"a": "b"}}
    bodies = [config, service, deployment, extra]
    for body in bodies:
        body["metadata"] = {"name": body["metadata"]["name"]}
    return bodies


@pytest.fixture
def others(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Others:
    """The other tools, at work in the namespace."""
    return Others(control_plane, namespace, tmp_path)


@pytest.fixture
def release(namespace: str, connection_options: dict[str, Any]) -> Release:
    """The release that takes over."""
    return Release(namespace, connection_options)


@pytest.fixture
def live(control_plane: ControlPlane, namespace: str) -> Callable[[str, str], Any]:
    """Read an object: `live("Service", "redis")`."""
    return lambda kind, name: control_plane.get(f"{PATHS[kind].format(namespace)}/{name}")


def managers(body: dict[str, Any]) -> set[str]:
    return {entry["manager"] for entry in body["metadata"]["managedFields"] if not entry.get("subresource")}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_release_of_another_tool_becomes_ours(
    control_plane: ControlPlane,
    namespace: str,
    others: Others,
    release: Release,
    live: Callable[[str, str], Any],
    tool: str,
) -> None:
    make, manager = TOOLS[tool]
    make(others, as_others_have_it(namespace))
    names = [("ConfigMap", "agentsmith-config"), ("Service", "redis"), ("Deployment", "redis")]

    def specs() -> list[Any]:
        return [[live(*name).get(part) for part in ("spec", "data")] for name in names]

    before = specs()
    refused = release.apply(wanted(namespace))
    assert refused["failed"]
    for text in ("-e agentsmith_adopt=true", f"Deployment {namespace}/redis: {manager} owns", "Nothing was changed."):
        assert text in refused["msg"]
    assert "namespace_create" not in refused["msg"]
    preview = release.apply(wanted(namespace), adopt=True, check_mode=True)
    assert "failed" not in preview, preview["msg"]
    text = "\n".join(preview["warnings"])
    assert f"ConfigMap {namespace}/agentsmith-config: {manager} owns data.key" in text
    assert "data.gone" in text
    assert "containers[name=exporter]" in text
    # What the server would fill in again is no loss
    assert "progressDeadlineSeconds" not in text
    assert f"- ConfigMap {namespace}/old-dashboard" in text
    assert (f"- Secret {namespace}/sh.helm.release.v1.smith.v1" in text) == (tool == "Helm")
    assert specs() == before
    said: list[str] = []
    with stand_in_kubelet(control_plane, namespace, ready()):
        deployed = release.deploy(wanted(namespace), adopt=True, say=said.append)
        assert "failed" not in deployed["apply"], deployed["apply"]["msg"]
        again = release.apply(wanted(namespace))
    assert any("old-dashboard" in line for line in said)
    assert again["requests"]["write"] == 0
    assert not again["transaction"]["opened"]
    config, service, deployment = (live(*name) for name in names)
    assert config["data"] == {"key": "ours"}
    assert service["spec"]["sessionAffinity"] == "None"
    containers = deployment["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["redis"]
    assert [entry["name"] for entry in containers[0]["env"]] == ["EMPTY", "NAMESPACE"]
    for body in (config, service, deployment):
        assert manager not in managers(body)
        assert LAST_APPLIED not in body["metadata"].get("annotations", {})
        assert not [name for name in body["metadata"].get("annotations", {}) if "helm" in name or "argo" in name]
        assert LABELS.items() <= body["metadata"]["labels"].items()
    # What a controller wrote stays, and what the release does not state is deleted by nobody
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    assert live("ConfigMap", "old-dashboard")["data"] == {"a": "b"}


def test_what_others_added_to_an_object_stays(
    control_plane: ControlPlane,
    namespace: str,
    others: Others,
    release: Release,
    live: Callable[[str, str], Any],
) -> None:
    by_kubectl_apply(others, as_others_have_it(namespace))
    others.kubectl("annotate", "service", "redis", "cloud.example.com/neg=x", "--field-manager=glbc")
    with stand_in_kubelet(control_plane, namespace, ready()):
        deployed = release.deploy(wanted(namespace), adopt=True)
    assert "failed" not in deployed["apply"], deployed["apply"]["msg"]
    assert live("Service", "redis")["metadata"]["annotations"] == {"cloud.example.com/neg": "x"}


@pytest.mark.parametrize("adopt", [False, True])
def test_a_selector_that_nobody_may_change_is_named_before_the_first_write(
    namespace: str, others: Others, release: Release, live: Callable[[str, str], Any], adopt: bool
) -> None:
    bodies = as_others_have_it(namespace)
    bodies[2]["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "redis"}
    bodies[2]["spec"]["template"]["metadata"]["labels"] = {"app.kubernetes.io/name": "redis"}
    by_kubectl_apply(others, bodies)
    refused = release.apply(wanted(namespace), adopt=adopt)
    assert refused["failed"]
    for text in (
        "spec.selector",
        f"kubectl -n {namespace} delete deployment redis",
        "deploy again",
        "Nothing was changed.",
    ):
        assert text in refused["msg"]
    assert ("agentsmith_adopt=true" in refused["msg"]) is not adopt
    assert live("ConfigMap", "agentsmith-config")["data"] == {"key": "theirs", "gone": "x"}


@pytest.mark.parametrize(
    ("field", "bodies"),
    [
        ("roleRef", [{"roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name}} for name in ("old", "new")]),
        ("type", [{"type": kind, "stringData": {"key": "MARKED"}} for kind in ("example.com/old", "Opaque")]),
    ],
)
def test_other_fields_that_nobody_may_change_are_named_as_well(
    namespace: str, others: Others, release: Release, field: str, bodies: Objects
) -> None:
    kind, api_version = ("RoleBinding", f"{RBAC}/v1") if field == "roleRef" else ("Secret", "v1")
    theirs, ours = (an_object(api_version, kind, namespace, "theirs", **body) for body in bodies)
    theirs["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    others.create("helm", [theirs])
    refused = release.apply([ours], adopt=True)
    assert refused["failed"]
    assert f"kubectl -n {namespace} delete {kind.lower()} theirs" in refused["msg"]
    assert "MARKED" not in refused["msg"]


def test_a_namespace_of_others_is_left_alone_by_namespace_create(
    control_plane: ControlPlane, namespace: str, release: Release
) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    theirs = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "rancher", "istio-injection": "enabled"}}}
    assert control_plane.request("PATCH", path + "?fieldManager=rancher", theirs, MERGE)[0] == 200
    bodies = [an_object("v1", "Namespace", "", namespace), a_config_map(namespace, key="ours")]
    refused = release.apply(bodies)
    assert refused["failed"]
    assert "set namespace_create to false" in refused["msg"]
    assert f"Namespace {namespace}: rancher owns" in refused["msg"]
    assert "-e agentsmith_adopt=true" not in refused["msg"]
    # Asked to take it over, the release takes what it states and no more
    deployed = release.deploy(bodies, adopt=True)
    assert "failed" not in deployed["apply"], deployed["apply"]["msg"]
    labels = control_plane.get(path)["metadata"]["labels"]
    assert labels["istio-injection"] == "enabled"
    assert labels["app.kubernetes.io/managed-by"] == "agentsmith.platform"
    assert release.apply(bodies)["requests"]["write"] == 0
