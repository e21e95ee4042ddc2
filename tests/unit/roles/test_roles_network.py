# SPDX-License-Identifier: GPL-3.0-or-later
"""The NetworkPolicies let exactly those connections through that the app needs: every other pair and port is closed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from documented_values import documented_values
from network_flows import Peer, allows
from network_matrix import PROD, TARGETS, WAY_IN_NAMESPACE, allowed

HOME = "agentsmith"
DISPATCHER = Peer("dispatcher", "10.244.0.10", HOME, {"app": "agentsmith-dispatcher"})
REDIS = Peer("redis", "10.244.0.11", HOME, {"app": "redis"})
JOB = Peer("job", "10.244.0.12", HOME, {"app": "agentsmith", "job-id": "0123456789ab"})
SOLVER = Peer("solver", "10.244.0.14", HOME, {"acme.cert-manager.io/http01-solver": "true"})
NEIGHBOUR = Peer("neighbour", "10.244.0.13", HOME, {"app": "something"})
STRANGER = Peer("stranger", "10.244.1.10", "elsewhere", {"app": "agentsmith-dispatcher"})
THE_WAY_IN = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": WAY_IN_NAMESPACE}}}]
WAY_IN = Peer("way-in", "10.244.1.11", WAY_IN_NAMESPACE, {"app": "controller"})
DNS = Peer("dns", "10.244.1.12", "kube-system", {"k8s-app": "kube-dns"})
KUBE_SYSTEM = Peer("kube-system", "10.244.1.13", "kube-system", {"k8s-app": "other"})
LOCAL_DNS = Peer("local-dns", "169.254.20.10")
API_SERVER = Peer("api-server", "172.18.0.2")
INTERNET = Peer("internet", "140.82.121.3")
INTERNET_6 = Peer("internet-6", "2606:50c0:8000::153")
METADATA = [
    Peer("metadata", "169.254.169.254"),
    Peer("pod-identity", "169.254.170.23"),
    Peer("alibaba", "100.100.100.200"),
    Peer("oracle", "192.0.0.192"),
    Peer("aws-6", "fd00:ec2::254"),
    Peer("google-6", "fd20:ce::254"),
    Peer("link-local-6", "fe80::a9fe:a9fe"),
]
PODS = [DISPATCHER, REDIS, JOB, NEIGHBOUR, STRANGER, WAY_IN, DNS, KUBE_SYSTEM]
OUTSIDE = [LOCAL_DNS, API_SERVER, INTERNET, INTERNET_6, *METADATA]
PORTS = [(53, "UDP"), (443, "UDP"), *((port, "TCP") for port in (53, 80, 443, 6379, 6443, 8080, 8089, 10250))]

Flow = tuple[str, str, int, str]


def flows(objects: dict[str, dict[str, Any]], pods: list[Peer] = PODS) -> set[Flow]:
    """Every connection that has an end in the release's namespace and is let through."""
    policies = [body for body in objects.values() if body["kind"] == "NetworkPolicy"]
    return {
        (source.name, destination.name, port, protocol)
        for source, destination, (port, protocol) in product([*pods, *OUTSIDE], [*pods, *OUTSIDE], PORTS)
        if source is not destination
        and HOME in (source.namespace, destination.namespace)
        and allows(policies, source, destination, port, protocol)
    }


EVERYWHERE = ["stranger", "way-in", "dns", "kube-system", "api-server", "internet", "internet-6"]
"""What is no pod of the namespace. Nobody can know the API server's address when the manifests are made."""


def flows_of_the_matrix(options: str) -> set[Flow]:
    """What the matrix lets through between these peers."""
    names = {peer.name for peer in [*PODS, *OUTSIDE]}
    return {
        (caller, name, where.port, where.protocol)
        for caller, where in ((caller, TARGETS[target]) for caller, target in allowed(options))
        for name in (EVERYWHERE if where.peer in ("api-server", "internet") else {where.peer} & names)
    }


@pytest.fixture(scope="module")
def rendered(render: Callable[..., Any]) -> Any:
    """The default, what is asked for by an environment, and the policies off."""
    return render(
        {
            "minimum": {"dispatcher_network_policy_from": THE_WAY_IN},
            "closed": {},
            "node-port": {"dispatcher_service_type": "NodePort"},
            "narrow": {
                "dispatcher_network_policy_api_server_peers": [{"ipBlock": {"cidr": "172.18.0.2/32"}}],
                "dispatcher_network_policy_from": [{"podSelector": {"matchLabels": {"app": "something"}}}],
                "dispatcher_network_policy_except": ["0.0.0.0/1", "128.0.0.0/1", "::/0"],
            },
            "issuer": {
                "agentsmith_public_url": "https://agentsmith.example.com",
                "dispatcher_route": "ingress",
                "dispatcher_network_policy_from": THE_WAY_IN,
                "dispatcher_tls": "issuer",
                "dispatcher_tls_issuer": {"name": "letsencrypt"},
            },
            "wide": {
                "dispatcher_network_policy_from": THE_WAY_IN,
                "dispatcher_network_policy_extra_ingress": [{"ports": [{"port": 80}]}],
                "dispatcher_network_policy_extra_egress": [{"ports": [{"port": 80}], "to": [{"podSelector": {}}]}],
                "dispatcher_network_policy_jobs_extra_egress": [{"ports": [{"port": 8080}]}],
                "redis_network_policy_extra_from": [{"podSelector": {"matchLabels": {"app": "something"}}}],
            },
            "ipv4": {"dispatcher_network_policy_ip_families": ["IPv4"]},
            "off": {
                "namespace_default_deny": False,
                "redis_network_policy_enabled": False,
                "dispatcher_network_policy_enabled": False,
            },
        }
    ).objects


def test_exactly_what_the_app_needs(rendered: Any) -> None:
    assert flows(rendered["minimum"]) == flows_of_the_matrix(PROD)


def test_nobody_reaches_a_dispatcher_without_a_way_in(rendered: Any) -> None:
    assert flows(rendered["minimum"]) - flows(rendered["closed"]) == {("way-in", "dispatcher", 8080, "TCP")}
    assert not {flow for flow in flows(rendered["closed"]) if flow[1] == "dispatcher"}


def test_a_service_that_is_reached_from_outside_is_open_to_everybody(rendered: Any) -> None:
    sources = {
        source for source, name, port, _protocol in flows(rendered["node-port"]) if (name, port) == ("dispatcher", 8080)
    }
    # Pods of this namespace are kept from it by their own policies
    assert sources == {peer.name for peer in [*PODS, *OUTSIDE]} - {"dispatcher", "redis", "job", "neighbour"}


def test_the_way_in_reaches_the_solver_of_cert_manager(rendered: Any) -> None:
    """Its pod of a moment, which answers the authority: without that no certificate is issued or renewed."""
    more = flows(rendered["issuer"], [*PODS, SOLVER]) - flows(rendered["minimum"])
    assert more == {("way-in", "solver", 8089, "TCP")}
    assert flows(rendered["minimum"], [*PODS, SOLVER]) == flows(rendered["minimum"])


def test_addresses_can_be_narrowed(rendered: Any) -> None:
    found = flows(rendered["narrow"])
    assert {flow for flow in found if flow[2] == 443} == set()
    assert {flow for flow in found if flow[2] == 6443} == {("dispatcher", "api-server", 6443, "TCP")}
    assert {flow for flow in found if flow[2] == 8080} == set(), "the neighbour's own policy is the default-deny"


def test_more_can_be_allowed(rendered: Any) -> None:
    more = flows(rendered["wide"]) - flows(rendered["minimum"])
    assert ("stranger", "dispatcher", 80, "TCP") in more
    assert ("job", "internet", 8080, "TCP") in more
    assert not {flow for flow in more if flow[1] == "redis"}, "the neighbour's own policy is the default-deny"
    policies = [body for name, body in rendered["wide"].items() if name == "NetworkPolicy/redis"]
    assert allows(policies, NEIGHBOUR, REDIS, 6379)
    assert not allows([*policies, rendered["wide"]["NetworkPolicy/default-deny"]], NEIGHBOUR, REDIS, 6379)


def test_nobody_reaches_a_job(rendered: Any) -> None:
    for host in ("minimum", "node-port", "narrow", "wide"):
        assert not {flow for flow in flows(rendered[host]) if flow[1] == "job"}, host


def test_nobody_reaches_the_metadata(rendered: Any) -> None:
    names = {peer.name for peer in METADATA}
    for host in ("minimum", "node-port", "narrow"):
        assert not {flow for flow in flows(rendered[host]) if flow[1] in names}, host


def test_without_policies_everything_is_open(rendered: Any) -> None:
    assert ("job", "metadata", 80, "TCP") in flows(rendered["off"])
    assert ("neighbour", "redis", 6379, "TCP") in flows(rendered["off"])


def test_an_address_of_ipv6_is_in_no_policy_of_a_plugin_without_it(rendered: Any) -> None:
    policies = [body for body in rendered["ipv4"].values() if body["kind"] == "NetworkPolicy"]
    assert "::/0" not in str(policies)
    assert ("dispatcher", "internet", 443, "TCP") in flows(rendered["ipv4"])
    assert ("job", "internet-6", 443, "TCP") not in flows(rendered["ipv4"])


@pytest.fixture(scope="module")
def documented(render: Callable[..., Any]) -> Any:
    """What the documented values render, by network."""
    run = render(documented_values("Networks"), templates=True)
    assert run.failures == {}
    return run.objects


MESH_PORT = {"Istio's": 15008, "Linkerd,": 4143}


def test_every_documented_network_is_rendered(documented: Any) -> None:
    assert set(documented) == {"Cilium", "OpenShift", "Istio", *MESH_PORT}
    cilium = documented["Cilium"]["CiliumNetworkPolicy/agentsmith-dispatcher-api-server"]
    assert cilium["spec"]["egress"] == [{"toEntities": ["kube-apiserver"]}]
    assert cilium["metadata"]["namespace"] == HOME


def _policies(objects: dict[str, Any]) -> list[Any]:
    return [body for body in objects.values() if body["kind"] == "NetworkPolicy"]


def test_dns_elsewhere(documented: Any) -> None:
    openshift = Peer("dns", "10.128.0.5", "openshift-dns", {"dns": "default"})
    for source, protocol in product((DISPATCHER, JOB), ("UDP", "TCP")):
        assert allows(_policies(documented["OpenShift"]), source, openshift, 5353, protocol)
        assert not allows(_policies(documented["OpenShift"]), source, DNS, 53, protocol)


@pytest.mark.parametrize("mesh", MESH_PORT)
def test_the_tunnel_of_a_mesh(documented: Any, mesh: str) -> None:
    policies = _policies(documented[mesh])
    for source in (DISPATCHER, JOB):
        assert allows(policies, source, REDIS, MESH_PORT[mesh])
    assert not allows(policies, DISPATCHER, JOB, MESH_PORT[mesh]), "nobody calls a Job"


def test_the_control_plane_of_a_mesh(documented: Any) -> None:
    istiod, linkerd = (Peer(name, "10.244.3.1", name) for name in ("istio-system", "linkerd"))
    for source in (DISPATCHER, JOB, REDIS):
        assert allows(_policies(documented["Istio"]), source, istiod, 15012)
        assert not allows(_policies(documented["Istio"]), source, istiod, 15010)
        assert all(allows(_policies(documented["Linkerd,"]), source, linkerd, port) for port in (8080, 8086, 8090))
