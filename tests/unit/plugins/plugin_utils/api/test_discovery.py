# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server serves, from both forms of discovery."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.discovery import Discovery
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from fake_connection import FakeConnection

VERSION = {"/version": {"gitVersion": "v1.29.4+k3s1"}}


def served(kind: str, plural: str, scope: str = "Namespaced") -> dict[str, Any]:
    """Return an entry of aggregated discovery."""
    return {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}


def group(name: str, version: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """Return a group of aggregated discovery."""
    return {"metadata": {"name": name}, "versions": [{"version": version, "resources": list(resources)}]}


AGGREGATED = {
    **VERSION,
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "items": [group("", "v1", served("Namespace", "namespaces", "Cluster"), served("Secret", "secrets"))],
    },
    "/apis": {
        "kind": "APIGroupDiscoveryList",
        "items": [group("apps", "v1", served("Deployment", "deployments")), {"metadata": {"name": "broken"}}],
    },
}
PLAIN = {
    **VERSION,
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {
        "resources": [
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
            {"name": "namespaces/status", "kind": "Namespace", "namespaced": False},
            {"name": "secrets", "kind": "Secret", "namespaced": True},
        ]
    },
    "/apis/apps/v1": {
        "resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": True},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": True},
        ]
    },
}


def ask(answers: dict[str, Any], *api_versions: str) -> Discovery:
    """Ask a server that gives the answers."""
    with ThreadPoolExecutor(2) as executor:
        return Discovery.ask(FakeConnection(answers), executor, api_versions)  # type: ignore[arg-type]


@pytest.mark.parametrize("answers", [AGGREGATED, PLAIN], ids=["aggregated", "plain"])
def test_paths(answers: dict[str, Any]) -> None:
    discovery = ask(answers, "v1", "apps/v1", "gone.example.com/v1")
    assert discovery.path(Identity("v1", "Namespace", "", "n")) == "/api/v1/namespaces/n"
    assert discovery.path(Identity("v1", "Secret", "n", "s")) == "/api/v1/namespaces/n/secrets/s"
    assert (
        discovery.path(Identity("apps/v1", "Deployment", "n", "a/b")) == "/apis/apps/v1/namespaces/n/deployments/a%2Fb"
    )
    assert not discovery.serves(Identity("gone.example.com/v1", "Widget", "n", "w"))


@pytest.mark.parametrize(
    ("answers", "resource"),
    [(AGGREGATED, served("PodMetrics", "pods")), (PLAIN, {"name": "pods", "kind": "PodMetrics", "namespaced": True})],
    ids=["aggregated", "plain"],
)
@pytest.mark.parametrize(("verbs", "listed"), [(["get", "list"], False), (["get"], False), (["list", "delete"], True)])
def test_a_view_of_other_objects_is_not_listed(
    answers: dict[str, Any], resource: dict[str, Any], verbs: list[str], listed: bool
) -> None:
    resource = {**resource, "verbs": verbs}
    metrics = {"kind": "APIGroupDiscoveryList", "items": [group("metrics.k8s.io", "v1", resource)]}
    more = {"/apis": metrics} if answers is AGGREGATED else {"/apis/metrics.k8s.io/v1": {"resources": [resource]}}
    discovery = ask({**answers, **more}, "metrics.k8s.io/v1")
    assert (("metrics.k8s.io", "PodMetrics") in discovery.kinds()) == listed


def test_plain_discovery_asks_for_what_is_needed_alone() -> None:
    connection = FakeConnection(PLAIN)
    with ThreadPoolExecutor(2) as executor:
        Discovery.ask(connection, executor, ["v1", "v1"])  # type: ignore[arg-type]
    assert sorted(connection.asked) == ["/api", "/api/v1", "/apis", "/version"]


def test_a_server_that_refuses_discovery_is_an_error() -> None:
    with pytest.raises(ApiError, match="not for you"):
        ask({**PLAIN, "/api/v1": ApiError(403, "Forbidden", "not for you")}, "v1")


@pytest.mark.parametrize("minimum", [None, "1.29", "1.29.9", "v1.28", "1.22"])
def test_a_server_that_is_new_enough(minimum: str | None) -> None:
    ask(AGGREGATED).require_version(minimum)


@pytest.mark.parametrize(
    ("minimum", "said"),
    [
        ("1.30", r"runs Kubernetes v1\.29\.4\+k3s1; at least 1\.30"),
        ("2.0", "at least 2.0"),
        ("1.3", "in quotes"),
        ("latest", "must be a version"),
        ("", "must be a version"),
    ],
)
def test_a_server_that_is_too_old_or_a_minimum_that_is_none(minimum: str, said: str) -> None:
    with pytest.raises(ApplyError, match=said):
        ask(AGGREGATED).require_version(minimum)


def test_all_kinds_that_are_not_served_are_named() -> None:
    identities = [
        Identity("apps/v1", "Deployment", "n", "fine"),
        Identity("apps/v2", "Deployment", "n", "newer"),
        Identity("example.com/v1", "Widget", "n", "w"),
        Identity("v1", "Secret", "", "s"),
        Identity("v1", "Namespace", "n", "x"),
    ]
    with pytest.raises(ApplyError) as caught:
        ask(AGGREGATED).require_kinds(identities)
    lines = str(caught.value).splitlines()
    assert "Deployment n/newer" in lines[0]
    assert "serves this kind as apps/v1" in lines[0]
    assert "Widget n/w" in lines[1]
    assert "does not know this kind" in lines[1]
    assert "Secret s: metadata.namespace is missing" in lines[2]
    assert "Namespace n/x: metadata.namespace is set" in lines[3]
    assert lines[4] == "Nothing was changed."


def test_a_kind_behind_a_server_that_does_not_answer() -> None:
    versions = [{"version": "v1", "freshness": "Stale"}, {"version": "v2", "resources": [served("Widget", "widgets")]}]
    body = {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "example.com"}, "versions": versions}]}
    discovery = ask({**AGGREGATED, "/apis": body})
    assert discovery.silent == ["example.com/v1"]
    discovery.require_kinds([Identity("example.com/v2", "Widget", "n", "w")])
    with pytest.raises(ApplyError, match=r"Widget n/w: the server behind the API example\.com/v1 does not answer"):
        discovery.require_kinds([Identity("example.com/v1", "Widget", "n", "w")])
