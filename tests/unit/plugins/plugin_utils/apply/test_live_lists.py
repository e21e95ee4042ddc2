# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked by lists, and what by the name of an object."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.discovery import Discovery, Resource
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.live_lists import (
    Lists,
    by_identity,
    list_items,
    list_live,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.plan import read_live
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.prune import plan_prune
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from in_memory_cluster import InMemoryCluster
from in_memory_release import CONFIG_MAP, DISPATCHER, NAMESPACE, OWNER, InMemoryRelease, a_release, an_object

MANY = [f"added-{number}" for number in range(500)]
CONFIG_MAPS, DEPLOYMENTS = CONFIG_MAP.rpartition("/")[0], DISPATCHER.rpartition("/")[0]


def deployed(*added: str) -> InMemoryCluster:
    release = InMemoryRelease()
    release.deploy(a_release("app:1", *added))
    return release.cluster


def listed(cluster: Any, bodies: list[dict[str, Any]]) -> Lists:
    with ThreadPoolExecutor(1) as executor:
        discovery = Discovery.ask(cluster, executor, [])
        cluster.log.clear()
        return list_live(cluster, executor, discovery, OWNER, bodies)


def names(lists: Lists) -> set[str]:
    return {f"{identity.kind}/{identity.name}" for identity in by_identity(lists)}


def test_one_list_a_kind_and_none_of_secrets_and_namespaces() -> None:
    cluster = deployed("added")
    lists = listed(cluster, a_release())
    assert sorted(cluster.log) == [f"GET {CONFIG_MAPS}", f"GET {DEPLOYMENTS}"]
    assert names(lists) == {"ConfigMap/agentsmith-config", "ConfigMap/added", "Deployment/agentsmith-dispatcher"}


@pytest.mark.parametrize("count", [0, 500])
def test_an_unchanged_deploy_asks_as_much_for_many_objects(count: int) -> None:
    release = InMemoryRelease()
    objects = a_release("app:1", *MANY[:count])
    release.deploy(objects)
    run = release.apply(objects)
    assert not run.opened
    asked = {line.removeprefix("GET ") for line in release.cluster.log}
    # The record, the namespace and the Secret by name; each kind by a list, which the search for surplus ones shares
    assert {path for path in asked if path.startswith((f"{NAMESPACE}", DEPLOYMENTS))} == {
        *(NAMESPACE, CONFIG_MAPS, DEPLOYMENTS, f"{NAMESPACE}/secrets"),
        *(f"{NAMESPACE}/secrets/agentsmith-release", f"{NAMESPACE}/secrets/agentsmith-secrets"),
    }
    assert len(asked) == len(release.cluster.log) == 10


def test_what_a_list_lacks_is_asked_for_by_its_name() -> None:
    cluster = deployed()
    del cluster.objects[CONFIG_MAP]["metadata"]["labels"]
    bodies = a_release()
    lists = listed(cluster, bodies)
    with ThreadPoolExecutor(1) as executor:
        discovery = Discovery.ask(cluster, executor, [])
        live = read_live(cluster, executor, discovery, bodies, lists=lists)
    assert live[Identity.of(bodies[2])] == cluster.objects[CONFIG_MAP]
    assert f"GET {CONFIG_MAP}" in cluster.log
    assert f"GET {DISPATCHER}" not in cluster.log
    assert live[Identity.of(bodies[3])] == cluster.objects[DISPATCHER]


@pytest.mark.parametrize("status", [403, 404, 405, 429, 500, 503])
def test_a_kind_that_cannot_be_listed_is_read_one_by_one(status: int) -> None:
    cluster = deployed()

    def refuse(_method: str, path: str, _body: Any) -> None:
        if path == CONFIG_MAPS:
            raise ApiError(status, "", "no")

    cluster.hook = refuse
    assert names(listed(cluster, a_release())) == {"Deployment/agentsmith-dispatcher"}


def test_a_kind_is_listed_in_the_version_that_is_compared_and_in_a_namespace_only() -> None:
    def the_object(api_version: str, kind: str) -> dict[str, Any]:
        return an_object(api_version, kind, "x")

    asked: list[str] = []

    class Connection:
        def request(self, _method: str, path: str, **_options: Any) -> Response:
            asked.append(path)
            return Response(200, {"items": [{"metadata": {"name": "x", "namespace": "n"}}]})

    resources = {
        ("autoscaling/v2", "HorizontalPodAutoscaler"): Resource("horizontalpodautoscalers", True),
        ("autoscaling/v1", "HorizontalPodAutoscaler"): Resource("horizontalpodautoscalers", True),
        ("policy/v1", "PodDisruptionBudget"): Resource("poddisruptionbudgets", True),
        ("x/v1", "Cluster"): Resource("clusters", False),
        ("x/v1", "View"): Resource("views", True, listed=False),
    }
    bodies = [
        the_object("autoscaling/v1", "HorizontalPodAutoscaler"),
        the_object("policy/v1", "PodDisruptionBudget"),
        the_object("x/v1", "Cluster"),
        the_object("x/v1", "View"),
        the_object("x/v1", "Unknown"),
    ]
    with ThreadPoolExecutor(1) as executor:
        discovery = Discovery("host", "v1.36.0", resources)
        lists = list_live(Connection(), executor, discovery, OWNER, bodies)
    assert asked == ["/apis/policy/v1/namespaces/n/poddisruptionbudgets"]
    assert by_identity(lists) == {
        Identity("policy/v1", "PodDisruptionBudget", "n", "x"): {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "x", "namespace": "n"},
        }
    }


def test_prune_lists_no_kind_again_and_finds_the_same() -> None:
    cluster = deployed("added")
    bodies = a_release()
    lists = listed(cluster, bodies)
    surplus = []
    for known in (None, lists):
        with ThreadPoolExecutor(1) as executor:
            discovery = Discovery.ask(cluster, executor, [])
            cluster.log.clear()
            planned, warnings = plan_prune(cluster, executor, discovery, OWNER, bodies, lists=known)
        surplus.append(([str(item.identity) for item in planned], warnings))
        assert (f"GET {CONFIG_MAPS}" in cluster.log) is (known is None)
    assert surplus[0] == surplus[1] == (["ConfigMap n/added"], [])


class Pages:
    """A server that answers with pages of two."""

    def __init__(self, items: int, expired: int | None = None) -> None:
        self.queries: list[dict[str, Any]] = []
        self._items = [{"metadata": {"name": str(number)}} for number in range(items)]
        self._expired = expired

    def request(self, _method: str, _path: str, *, query: dict[str, Any], **_options: Any) -> Response:
        self.queries.append(dict(query))
        if "limit" not in query:
            return Response(200, {"items": self._items})
        start = int(query.get("continue") or 0)
        if start and start == self._expired:
            raise ApiError(410, "Expired", "too old")
        following = {"continue": str(start + 2)} if start + 2 < len(self._items) else {}
        return Response(200, {"metadata": following, "items": self._items[start : start + 2] or None})


@pytest.mark.parametrize(("items", "requests"), [(0, 1), (2, 1), (3, 2), (7, 4)])
def test_a_list_comes_page_by_page(items: int, requests: int) -> None:
    server = Pages(items)
    found = list_items(server, "/path", {"labelSelector": "a=b"})
    assert [item["metadata"]["name"] for item in found] == [str(number) for number in range(items)]
    assert len(server.queries) == requests
    assert all(query["labelSelector"] == "a=b" and query["limit"] == 500 for query in server.queries)


def test_a_list_whose_state_is_gone_is_asked_for_at_once() -> None:
    server = Pages(7, expired=4)
    assert len(list_items(server, "/path", {})) == 7
    assert server.queries == [{"limit": 500}, {"limit": 500, "continue": "2"}, {"limit": 500, "continue": "4"}, {}]


@pytest.mark.parametrize("status", [403, 410, 500])
def test_a_list_that_is_refused_is_an_error(status: int) -> None:
    def refuse(*_given: Any, **_options: Any) -> Response:
        raise ApiError(status, "", "no")

    server = Pages(3)
    server.request = refuse
    with pytest.raises(ApiError):
        list_items(server, "/path", {})
