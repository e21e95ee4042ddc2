# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison against its oracle: a dry run of the same server-side apply on the real API server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.comparison import compare
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.plan import differs
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import apply_query
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.normalisation import normalise_objects
from control_plane import ControlPlane
from release_objects import RBAC, a_deployment, a_secret, an_object

PLURALS = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "NetworkPolicy": "networkpolicies",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}
Change = Callable[[dict[str, Any]], None]


def container(body: dict[str, Any]) -> dict[str, Any]:
    """Return the container of a Deployment."""
    return body["spec"]["template"]["spec"]["containers"][0]


def pod(body: dict[str, Any]) -> dict[str, Any]:
    """Return the pod spec of a Deployment."""
    return body["spec"]["template"]["spec"]


def unchanged(_body: dict[str, Any]) -> None:
    """Change nothing."""


def setting(*path: Any, to: Any) -> Change:
    """Return a change that sets the value at *path*."""

    def change(body: dict[str, Any]) -> None:
        for part in path[:-1]:
            body = body[part]
        body[path[-1]] = to

    return change


def removing(*path: Any) -> Change:
    """Return a change that removes the value at *path*."""

    def change(body: dict[str, Any]) -> None:
        for part in path[:-1]:
            body = body[part]
        del body[path[-1]]

    return change


def a_service(namespace: str) -> dict[str, Any]:
    """Return a Service with two protocols on one port number."""
    ports = [{"name": "dns", "port": 53}, {"name": "dns-udp", "port": 53, "protocol": "UDP"}]
    return an_object("v1", "Service", namespace, "dns", spec={"selector": {"app": "dns"}, "ports": ports})


def a_policy(namespace: str) -> dict[str, Any]:
    """Return a NetworkPolicy, whose rules are replaced as a whole and get a default."""
    ingress = [{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}], "ports": [{"port": 80}]}]
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": ingress}
    return an_object("networking.k8s.io/v1", "NetworkPolicy", namespace, "policy", spec=spec)


def a_role(namespace: str) -> dict[str, Any]:
    """Return a Role."""
    rule = {"apiGroups": ["batch", ""], "resources": ["jobs"], "verbs": ["create", "get"], "resourceNames": ["a"]}
    return an_object(f"{RBAC}/v1", "Role", namespace, "role", rules=[rule])


def a_binding(namespace: str) -> dict[str, Any]:
    """Return a RoleBinding."""
    role = {"apiGroup": RBAC, "kind": "Role", "name": "role"}
    subjects = [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}]
    return an_object(f"{RBAC}/v1", "RoleBinding", namespace, "binding", roleRef=role, subjects=subjects)


def an_account(namespace: str) -> dict[str, Any]:
    """Return a ServiceAccount."""
    account = an_object("v1", "ServiceAccount", namespace, "account", automountServiceAccountToken=False)
    account["imagePullSecrets"] = [{"name": "a"}, {"name": "b"}]
    account["metadata"]["finalizers"] = ["example.com/a", "example.com/b"]
    return account


def a_reading_deployment(namespace: str) -> dict[str, Any]:
    """Return a Deployment with a variable, the third, from a Secret."""
    return a_deployment(namespace, "redis", "redis-url")


def a_small_secret(namespace: str) -> dict[str, Any]:
    """Return a Secret."""
    return a_secret(namespace, one="1000m", two="")


def a_deployment_with_empty_parts(namespace: str) -> dict[str, Any]:
    """Return a Deployment with an empty list and an empty map, which the server does not even record."""
    body = a_deployment(namespace)
    container(body)["env"] = []
    pod(body)["nodeSelector"] = {}
    return body


ENV, PORTS = (
    ("spec", "template", "spec", "containers", 0, "env"),
    ("spec", "template", "spec", "containers", 0, "ports"),
)
CONTAINER = ENV[:-1]

# What is applied, what is desired next. What the server makes of it, the oracle says.
CASES: dict[str, tuple[Callable[[str], dict[str, Any]], Change]] = {
    "nothing": (a_deployment, unchanged),
    "image": (a_deployment, setting(*CONTAINER, "image", to="redis:8")),
    "replicas": (a_deployment, setting("spec", "replicas", to=2)),
    "replicas to zero": (a_deployment, setting("spec", "replicas", to=0)),
    "replicas no longer stated": (a_deployment, removing("spec", "replicas")),
    "empty argument": (a_deployment, setting(*CONTAINER, "args", to=["--save"])),
    "arguments in another order": (a_deployment, lambda body: container(body)["args"].reverse()),
    "variable in another place": (a_deployment, lambda body: container(body)["env"].reverse()),
    "variable removed": (a_deployment, removing(*ENV, 0)),
    "variable added": (a_deployment, lambda body: container(body)["env"].append({"name": "NEW", "value": "x"})),
    "empty variable filled": (a_deployment, setting(*ENV, 0, "value", to="x")),
    "empty variable without a value": (a_deployment, removing(*ENV, 0, "value")),
    "variable as null": (a_deployment, setting(*ENV, 0, "value", to=None)),
    "stated default in a whole field": (
        a_deployment,
        setting(*ENV, 1, "valueFrom", "fieldRef", "apiVersion", to="v1"),
    ),
    "another field reference": (
        a_deployment,
        setting(*ENV, 1, "valueFrom", "fieldRef", "fieldPath", to="metadata.name"),
    ),
    "reference to another key": (
        a_reading_deployment,
        setting(*ENV, 2, "valueFrom", "secretKeyRef", "key", to="other"),
    ),
    "reference made optional": (
        a_reading_deployment,
        setting(*ENV, 2, "valueFrom", "secretKeyRef", "optional", to=True),
    ),
    "reference explicitly not optional": (
        a_reading_deployment,
        setting(*ENV, 2, "valueFrom", "secretKeyRef", "optional", to=False),
    ),
    "quantity spelt otherwise": (a_deployment, setting(*CONTAINER, "resources", "limits", "cpu", to="1")),
    "quantity as a number": (a_deployment, setting(*CONTAINER, "resources", "limits", "cpu", to=1)),
    "quantity as a float": (a_deployment, setting(*CONTAINER, "resources", "limits", "cpu", to=1.0)),
    "another quantity": (a_deployment, setting(*CONTAINER, "resources", "limits", "cpu", to="2")),
    "limit removed": (a_deployment, removing(*CONTAINER, "resources", "limits", "memory")),
    "all resources removed": (a_deployment, removing(*CONTAINER, "resources")),
    "resources emptied": (a_deployment, setting(*CONTAINER, "resources", to={})),
    "size limit spelt otherwise": (
        a_deployment,
        setting("spec", "template", "spec", "volumes", 0, "emptyDir", "sizeLimit", to="1Gi"),
    ),
    "size limit removed": (a_deployment, setting("spec", "template", "spec", "volumes", 0, "emptyDir", to={})),
    "port protocol stated": (a_deployment, setting(*PORTS, 0, "protocol", to="TCP")),
    "port protocol changed": (a_deployment, setting(*PORTS, 0, "protocol", to="UDP")),
    "port named": (a_deployment, setting(*PORTS, 0, "name", to="redis")),
    "port added": (a_deployment, lambda body: container(body)["ports"].append({"containerPort": 1})),
    "ports in another order": (a_deployment, lambda body: container(body)["ports"].reverse()),
    "ports removed": (a_deployment, removing(*PORTS)),
    "ports emptied": (a_deployment, setting(*PORTS, to=[])),
    "empty field added": (a_deployment, setting("spec", "template", "spec", "tolerations", to=[])),
    "empty map added": (a_deployment, setting("spec", "template", "spec", "nodeSelector", to={})),
    "empty parts unchanged": (a_deployment_with_empty_parts, unchanged),
    "empty parts with another image": (a_deployment_with_empty_parts, setting(*CONTAINER, "image", to="redis:8")),
    "false where absent counts as such": (a_deployment, setting("spec", "template", "spec", "hostNetwork", to=False)),
    "false where absent does not": (
        a_deployment,
        setting("spec", "template", "spec", "enableServiceLinks", to=False),
    ),
    "token automounted": (a_deployment, setting("spec", "template", "spec", "automountServiceAccountToken", to=True)),
    "token no longer mentioned": (
        a_deployment,
        removing("spec", "template", "spec", "automountServiceAccountToken"),
    ),
    "default stated": (a_deployment, setting("spec", "revisionHistoryLimit", to=10)),
    "strategy emptied": (a_deployment, setting("spec", "strategy", to={})),
    "capability list": (
        a_deployment,
        setting(*CONTAINER, "securityContext", "capabilities", "drop", to=["NET_RAW"]),
    ),
    "projected source added": (
        a_deployment,
        lambda body: pod(body)["volumes"][1]["projected"]["sources"].append({"configMap": {"name": "x"}}),
    ),
    "projected default stated": (
        a_deployment,
        lambda body: pod(body)["volumes"][1]["projected"]["sources"][0]["serviceAccountToken"].update(
            expirationSeconds=3600
        ),
    ),
    "projected default changed": (
        a_deployment,
        lambda body: pod(body)["volumes"][1]["projected"]["sources"][0]["serviceAccountToken"].update(
            expirationSeconds=7200
        ),
    ),
    "label added": (a_deployment, setting("metadata", "labels", "new", to="x")),
    "label removed": (a_deployment, removing("metadata", "labels", "app.kubernetes.io/managed-by")),
    "all labels removed": (a_deployment, removing("metadata", "labels")),
    "annotation added": (a_deployment, setting("metadata", "annotations", to={"example.com/a": "x"})),
    "init container added": (
        a_deployment,
        setting("spec", "template", "spec", "initContainers", to=[{"name": "init", "image": "init"}]),
    ),
    "probe as a name": (a_deployment, setting(*CONTAINER, "readinessProbe", "tcpSocket", "port", to="metrics")),
    "secret value": (a_small_secret, setting("stringData", "one", to="1")),
    "secret key removed": (a_small_secret, removing("stringData", "two")),
    "service unchanged": (a_service, unchanged),
    "service port removed": (a_service, removing("spec", "ports", 0)),
    "service port twin removed": (a_service, removing("spec", "ports", 1)),
    "service type": (a_service, setting("spec", "type", to="NodePort")),
    "service selector": (a_service, setting("spec", "selector", to={"app": "other"})),
    "policy unchanged": (a_policy, unchanged),
    "policy default stated": (a_policy, setting("spec", "ingress", 0, "ports", 0, "protocol", to="TCP")),
    "policy protocol": (a_policy, setting("spec", "ingress", 0, "ports", 0, "protocol", to="UDP")),
    "policy rule removed": (a_policy, removing("spec", "ingress", 0, "from")),
    "policy rules emptied": (a_policy, setting("spec", "ingress", to=[])),
    "role unchanged": (a_role, unchanged),
    "role verb removed": (a_role, removing("rules", 0, "verbs", 1)),
    "role key removed": (a_role, removing("rules", 0, "resourceNames")),
    "role key emptied": (a_role, setting("rules", 0, "resourceNames", to=[])),
    "binding unchanged": (a_binding, unchanged),
    "binding default stated": (a_binding, setting("subjects", 0, "apiGroup", to="")),
    "binding subject": (a_binding, setting("subjects", 0, "name", to="other")),
    "account unchanged": (an_account, unchanged),
    "pull secret removed": (an_account, removing("imagePullSecrets", 0)),
    "finalizer removed": (an_account, removing("metadata", "finalizers", 0)),
    "finalizers in another order": (an_account, lambda body: body["metadata"]["finalizers"].reverse()),
}

# Where an empty or missing part of a field that the server replaces as a whole may or may not be its default.
DOUBTFUL = {
    "empty field added",
    "empty map added",
    "empty parts unchanged",
    "reference explicitly not optional",
    "policy rule removed",
    "policy rules emptied",
    "role key removed",
    "role key emptied",
    "binding default stated",
}


def path_of(body: dict[str, Any]) -> str:
    """Return the REST path of an object."""
    group = "apis" if "/" in body["apiVersion"] else "api"
    metadata = body["metadata"]
    plural = PLURALS[body["kind"]]
    return f"/{group}/{body['apiVersion']}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def applied(control_plane: ControlPlane, body: dict[str, Any], dry_run: bool) -> dict[str, Any]:
    """Apply an object with the query of the engine, and return what the server makes of it."""
    query = "&".join(f"{name}={value}" for name, value in apply_query(dry_run, force=True).items())
    status, answer = control_plane.request("PATCH", f"{path_of(body)}?{query}", body, "application/apply-patch+yaml")
    assert status in (200, 201), answer
    return answer


@pytest.mark.parametrize("case", CASES)
def test_the_comparison_agrees_with_the_server(control_plane: ControlPlane, namespace: str, case: str) -> None:
    make, change = CASES[case]
    live = applied(control_plane, normalise_objects([make(namespace)])[0], dry_run=False)
    desired = copy.deepcopy(make(namespace))
    change(desired)
    (desired,) = normalise_objects([desired])
    comparison = compare(desired, live)
    would_change = differs(live, applied(control_plane, desired, dry_run=True))
    in_doubt = bool(comparison.doubtful) and not comparison.changed
    assert in_doubt == (case in DOUBTFUL), comparison
    if not in_doubt:  # in doubt, the engine asks as the oracle does
        assert bool(comparison.changed) == would_change, comparison


# A dry run for each of these would be a request too many in every run of an unchanged release.
@pytest.mark.parametrize("make", [a_deployment, a_small_secret, a_service, a_policy, a_role, a_binding, an_account])
def test_an_unchanged_object_leaves_no_doubt(
    control_plane: ControlPlane, namespace: str, make: Callable[[str], dict[str, Any]]
) -> None:
    (desired,) = normalise_objects([make(namespace)])
    comparison = compare(desired, applied(control_plane, desired, dry_run=False))
    assert (comparison.changed, comparison.doubtful) == ([], [])
