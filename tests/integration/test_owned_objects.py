# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the objects of a release on a real API server, among those of others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.discovery import Discovery
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.owned_objects import Found, find_owned
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from control_plane import ControlPlane
from engine import Apply
from release_objects import LABELS, RBAC, a_config_map, a_release, a_secret, an_object

Find = Callable[..., Found]


@pytest.fixture
def find(connection_options: dict[str, Any]) -> Find:
    """Look for the objects of an owner: `find(namespace, instance="agentsmith", component="", **find_owned)`."""

    def look(
        namespace: str, instance: str = "agentsmith", component: str = "", api_key: str = "", **options: Any
    ) -> Found:
        with (
            Connection({**connection_options, **({"api_key": api_key} if api_key else {})}) as connection,
            ThreadPoolExecutor(8) as executor,
        ):
            discovery = Discovery.ask(connection, executor, [])
            return find_owned(connection, executor, discovery, Owner(namespace, instance, component), **options)

    return look


def names(found: Found) -> set[str]:
    return {f"{live['kind']}/{live['metadata']['name']}" for live in found.objects}


def a_binding_for_a_cluster_role(name: str, namespace: str) -> dict[str, Any]:
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    binding = an_object(f"{RBAC}/v1", "ClusterRoleBinding", "", name, roleRef=role, subjects=[])
    binding["metadata"]["labels"]["agentsmith.platform/namespace"] = namespace
    return binding


def test_exactly_those_of_the_release(
    apply: Apply, find: Find, new_namespace: str, control_plane: ControlPlane
) -> None:
    objects = a_release(new_namespace)
    other = f"{new_namespace}-other"
    apply(objects)
    apply(a_release(other))
    others_instance = a_config_map(new_namespace)
    others_instance["metadata"]["name"] = "of-another-instance"
    others_instance["metadata"]["labels"]["app.kubernetes.io/instance"] = "another"
    foreign = a_config_map(new_namespace)
    foreign["metadata"] |= {"name": "foreign", "labels": {}}
    apply([others_instance, foreign])
    # As the endpoints controller, which does not run here, copies the labels of a Service.
    copy = an_object("v1", "Endpoints", new_namespace, "redis", subsets=[])
    assert control_plane.request("POST", f"/api/v1/namespaces/{new_namespace}/endpoints", copy)[0] == 201
    apply([a_binding_for_a_cluster_role(name, name) for name in (new_namespace, other)])

    wanted = {f"{body['kind']}/{body['metadata']['name']}" for body in objects if body["kind"] != "Namespace"}
    assert names(find(new_namespace)) == wanted
    assert names(find(new_namespace, kinds=None)) == wanted | {f"ClusterRoleBinding/{new_namespace}"}
    assert names(find(new_namespace, instance="another", kinds=None)) == {"ConfigMap/of-another-instance"}


def test_those_of_one_component(apply: Apply, find: Find, namespace: str) -> None:
    body = a_config_map(namespace)
    body["metadata"]["labels"]["app.kubernetes.io/component"] = "config"
    apply([body, a_secret(namespace)])
    assert names(find(namespace, component="config")) == {"ConfigMap/agentsmith-config"}


def test_no_content_is_read(apply: Apply, find: Find, namespace: str) -> None:
    apply([a_secret(namespace, key="a value"), a_config_map(namespace)])
    assert {frozenset(live) for live in find(namespace).objects} == {frozenset({"apiVersion", "kind", "metadata"})}


def test_what_a_controller_makes_is_not_ours(
    apply: Apply, find: Find, namespace: str, control_plane: ControlPlane
) -> None:
    apply([a_config_map(namespace)])
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    owner = control_plane.get(f"{path}/agentsmith-config")["metadata"]
    child = an_object("v1", "ConfigMap", namespace, "child")
    child["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["name"], "uid": owner["uid"]}
    ]
    assert child["metadata"]["labels"] == LABELS
    assert control_plane.request("POST", path, child)[0] == 201
    assert names(find(namespace)) == {"ConfigMap/agentsmith-config"}


def test_kinds_that_may_not_be_listed_are_named(find: Find, namespace: str, control_plane: ControlPlane) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert control_plane.request("POST", accounts, account)[0] == 201
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    token = control_plane.request("POST", f"{accounts}/nobody/token", request)[1]["status"]["token"]
    found = find(namespace, api_key=token)
    assert not found.objects
    assert {"ConfigMap", "Secret", "Deployment", "Role"} <= set(found.unseen)
