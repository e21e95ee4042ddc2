# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter of Redis: who reaches it, what it reaches, and what Redis lets it ask."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from network_flows import Peer, allows

HOME = "agentsmith"
EXPORTER = {"monitoring_enabled": True, "monitoring_redis_exporter_enabled": True}
PASSWORD = "MARKED-password-of-redis"  # noqa: S105 - a canary
OURS = {"Deployment/redis-exporter", "NetworkPolicy/redis-exporter", "PodMonitor/redis-exporter"}
EXPORTER_POD = Peer("exporter", "10.244.0.20", HOME, {"app": "redis-exporter"})
REDIS = Peer("redis", "10.244.0.11", HOME, {"app": "redis"})
DISPATCHER = Peer("dispatcher", "10.244.0.10", HOME, {"app": "agentsmith-dispatcher"})
JOB = Peer("job", "10.244.0.12", HOME, {"app": "agentsmith"})
PROMETHEUS = Peer("prometheus", "10.244.1.20", "monitoring", {"app.kubernetes.io/name": "prometheus"})
STRANGER = Peer("stranger", "10.244.1.10", "elsewhere", {"app": "redis-exporter"})
DNS = Peer("dns", "10.244.1.12", "kube-system", {"k8s-app": "kube-dns"})
INTERNET = Peer("internet", "140.82.121.3")
PEERS = [REDIS, DISPATCHER, JOB, PROMETHEUS, STRANGER, DNS, INTERNET]
PORTS = [(53, "UDP"), (53, "TCP"), (443, "TCP"), (6379, "TCP"), (8080, "TCP"), (9121, "TCP")]


@pytest.fixture(scope="module")
def rendered(render: Callable[..., Any]) -> Any:
    return render(
        {
            "off": {"vault_redis_password": PASSWORD},
            "alone": {"monitoring_redis_exporter_enabled": True, "vault_redis_password": PASSWORD},
            "on": {**EXPORTER, "vault_redis_password": PASSWORD},
            "file": {**EXPORTER, "monitoring_format": "configmap"},
            "set": {
                **EXPORTER,
                "agentsmith_registry": "registry.example.com",
                "agentsmith_run_as_user": "",
                "rbac_image_pull_secrets": ["registry-credentials"],
                "monitoring_labels": {"release": "prometheus"},
                "monitoring_redis_exporter_network_policy_from": [{"podSelector": {"matchLabels": {"app": "scraper"}}}],
                "monitoring_redis_exporter_node_selector": {"disk": "ssd"},
                "monitoring_redis_exporter_tolerations": [{"operator": "Exists"}],
            },
            "elsewhere": {
                **EXPORTER,
                "redis_enabled": False,
                "vault_redis_url": "cache.example.com:6379",
                "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
            },
            "digest": {**EXPORTER, "monitoring_redis_exporter_image_pinning": "digest"},
            "nobody": {**EXPORTER, "monitoring_redis_exporter_network_policy_from": []},
        }
    )


def flows(objects: dict[str, dict[str, Any]]) -> set[tuple[str, str, int, str]]:
    """Every connection from or to the exporter that is let through."""
    policies = [body for body in objects.values() if body["kind"] == "NetworkPolicy"]
    pairs = [pair for peer in PEERS for pair in ((EXPORTER_POD, peer), (peer, EXPORTER_POD))]
    return {
        (source.name, destination.name, port, protocol)
        for source, destination in pairs
        for port, protocol in PORTS
        if allows(policies, source, destination, port, protocol)
    }


def pod(objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = objects["Deployment/redis-exporter"]["spec"]["template"]["spec"]
    return found


def default_user(objects: dict[str, dict[str, Any]]) -> str:
    return b64decode(objects["Secret/redis-acl"]["data"]["users.acl"]).decode().splitlines()[0]


@pytest.mark.parametrize("host", ["off", "alone"])
def test_it_is_off_by_default_and_needs_the_part(rendered: Any, host: str) -> None:
    assert not OURS & rendered.objects[host].keys()
    assert default_user(rendered.objects[host]) == "user default on nopass resetkeys resetchannels -@all +ping"
    assert not [flow for flow in flows(rendered.objects[host]) if flow[:2] == ("exporter", "redis")]


def test_a_monitor_needs_the_operator(rendered: Any) -> None:
    assert rendered.objects["on"].keys() >= OURS
    assert OURS & rendered.objects["file"].keys() == OURS - {"PodMonitor/redis-exporter"}
    template = rendered.objects["file"]["Deployment/redis-exporter"]["spec"]["template"]
    assert template["metadata"]["annotations"] == {"prometheus.io/scrape": "true", "prometheus.io/port": "9121"}
    monitor = rendered.objects["set"]["PodMonitor/redis-exporter"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (port,) = template["spec"]["containers"][0]["ports"]
    assert [endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]] == [port["name"]]


def test_exactly_prometheus_reaches_it_and_it_reaches_exactly_redis(rendered: Any) -> None:
    assert flows(rendered.objects["on"]) == {
        ("prometheus", "exporter", 9121, "TCP"),
        ("exporter", "redis", 6379, "TCP"),
        ("exporter", "dns", 53, "TCP"),
        ("exporter", "dns", 53, "UDP"),
    }
    assert not [flow for flow in flows(rendered.objects["set"]) if flow[1] == "exporter"]


def test_it_gets_no_password_and_reads_no_message(rendered: Any) -> None:
    objects = rendered.objects["on"]
    assert default_user(objects) == "user default on nopass resetkeys resetchannels -@all +ping +info +select +scan"
    (container,) = pod(objects)["containers"]
    assert PASSWORD not in str(objects["Deployment/redis-exporter"])
    assert [entry for entry in container["env"] if "valueFrom" in entry] == []
    assert {entry["name"] for entry in container["env"]} & {"REDIS_PASSWORD", "REDIS_USER"} == set()


def test_it_passes_pod_security_restricted(rendered: Any) -> None:
    spec = pod(rendered.objects["on"])
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_facts_and_placement_arrive(rendered: Any) -> None:
    spec = pod(rendered.objects["set"])
    assert spec["containers"][0]["image"] == "registry.example.com/oliver006/redis_exporter:v1.74.0"
    assert spec["imagePullSecrets"] == [{"name": "registry-credentials"}]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert "runAsUser" not in spec["securityContext"]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("elsewhere", "monitoring_redis_exporter_enabled"),
        ("digest", "monitoring_redis_exporter_image"),
        ("nobody", "monitoring_redis_exporter_network_policy_from"),
    ],
)
def test_what_cannot_work_is_refused(rendered: Any, host: str, said: str) -> None:
    assert said in rendered.failures[host]
