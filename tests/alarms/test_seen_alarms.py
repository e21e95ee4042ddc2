# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms fire in a real Prometheus, which scrapes real exporters, and clear again.

The API server and its controllers are real; pods get their status from the test.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from awaiting import await_true
from control_plane import ControlPlane
from scraping import (
    ANNOTATIONS,
    definitions,
    rendered,
    running_cert_manager,
    running_kube_state_metrics,
    running_prometheus,
    running_redis,
    running_redis_exporter,
    until,
)
from served_kinds import CERT_MANAGER, DEFINITIONS, GATEWAY_API
from stand_in_kubelet import MERGE, ready, stand_in_kubelet

THRESHOLDS = {
    "monitoring_restarts": 1,
    "monitoring_job_pending_seconds": 2,
    "monitoring_job_deadline_percent": 1,
}
OF_OBJECTS = {
    "AgentSmithContainerRestarting",
    "AgentSmithDeployLockHeld",
    "AgentSmithDispatcherUnavailable",
    "AgentSmithJobNearDeadline",
    "AgentSmithJobPending",
    "AgentSmithJobsFailing",
    "AgentSmithRedisUnavailable",
    "AgentSmithReleaseRolledBack",
    "AgentSmithReleaseUnfinished",
    "AgentSmithRolloutFailed",
}
FAILING = [f"agentsmith-{number:012x}" for number in range(3)]
PENDING = "agentsmith-00000000000a"
RUNNING = "agentsmith-00000000000b"


class Namespace:
    """A new namespace, and what its alarms are made of."""

    def __init__(self, control_plane: ControlPlane, name: str, directory: Path) -> None:
        self.control_plane, self.name = control_plane, name
        self.pods = f"/api/v1/namespaces/{name}/pods"
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(control_plane.kubeconfig())
        self.objects = rendered(directory, name, THRESHOLDS)
        assert control_plane.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201

    def create(self, group: str, plural: str, body: dict[str, Any]) -> None:
        """Create an object."""
        status, answer = self.control_plane.request("POST", f"{group}/namespaces/{self.name}/{plural}", body)
        assert status == 201, answer

    def delete(self, group: str, plural: str, name: str) -> None:
        """Delete an object, and its pods."""
        path = f"{group}/namespaces/{self.name}/{plural}/{name}"
        status, answer = self.control_plane.request("DELETE", path, {"propagationPolicy": "Background"})
        assert status == 200, answer


@pytest.fixture
def namespace(control_plane: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Namespace:
    """A namespace of the test's own."""
    return Namespace(control_plane, request.node.name.removeprefix("test_").replace("_", "-"), tmp_path)


def a_deployment(name: str, container: str) -> dict[str, Any]:
    pod = {"containers": [{"name": container, "image": "none"}]}
    spec = {
        "progressDeadlineSeconds": 2,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
    }
    return {"metadata": {"name": name}, "spec": spec}


def a_job(name: str, deadline: int) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "agentsmith", "image": "none"}]}
    spec = {"activeDeadlineSeconds": deadline, "backoffLimit": 0, "template": {"spec": pod}}
    return {"metadata": {"name": name}, "spec": spec}


def a_held_lock() -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "me@here run 1", "acquireTime": now, "renewTime": now, "leaseDurationSeconds": 60}
    return {"metadata": {"name": "agentsmith-release"}, "spec": spec}


def crashing(pod: dict[str, Any], times: int) -> dict[str, Any]:
    """Return the status of a pod whose container has restarted so often, and is about to again."""
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    entry = {"ready": False, "restartCount": times, "image": "x", "imageID": "", "state": state}
    return {"phase": "Running", "containerStatuses": [{"name": pod["spec"]["containers"][0]["name"], **entry}]}


def test_objects(namespace: Namespace, tmp_path: Path) -> None:
    control_plane = namespace.control_plane
    for name, container in (("agentsmith-dispatcher", "dispatcher"), ("redis", "redis")):
        namespace.create("/apis/apps/v1", "deployments", a_deployment(name, container))
    for name in FAILING:
        namespace.create("/apis/batch/v1", "jobs", a_job(name, 1))
    namespace.create("/apis/batch/v1", "jobs", a_job(PENDING, 300))
    namespace.create("/apis/coordination.k8s.io/v1", "leases", a_held_lock())
    record = {"name": "agentsmith-release", "annotations": dict.fromkeys(ANNOTATIONS, "true")}
    namespace.create("/api/v1", "secrets", {"metadata": record})
    times = 0

    def crash() -> None:
        nonlocal times
        times += 1
        for pod in control_plane.get(namespace.pods)["items"]:
            if pod["metadata"]["labels"].get("app"):
                path = f"{namespace.pods}/{pod['metadata']['name']}/status"
                control_plane.request("PATCH", path, {"status": crashing(pod, times)}, MERGE)

    with (
        running_kube_state_metrics(tmp_path, namespace.kubeconfig, namespace.name) as scraped,
        running_prometheus(tmp_path, namespace.objects, [scraped]) as prometheus,
    ):
        prometheus.await_exactly(*OF_OBJECTS, meanwhile=crash)
        with stand_in_kubelet(control_plane, namespace.name, ready()):
            for name in (*FAILING, PENDING):
                namespace.delete("/apis/batch/v1", "jobs", name)
            namespace.delete("/apis/coordination.k8s.io/v1", "leases", "agentsmith-release")
            namespace.delete("/api/v1", "secrets", "agentsmith-release")
            prometheus.await_exactly()


def test_redis(namespace: Namespace, tmp_path: Path) -> None:
    namespace.create("/apis/apps/v1", "deployments", a_deployment("redis", "redis"))
    namespace.create("/apis/batch/v1", "jobs", a_job(RUNNING, 7200))
    memory = ("--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru")
    with (
        stand_in_kubelet(namespace.control_plane, namespace.name, ready()),
        running_redis(tmp_path, namespace.objects, *memory) as redis,
        running_redis_exporter(tmp_path, namespace.objects, redis, namespace.name) as of_redis,
        running_kube_state_metrics(tmp_path, namespace.kubeconfig, namespace.name) as of_objects,
        running_prometheus(tmp_path, namespace.objects, [of_redis, of_objects]) as prometheus,
    ):
        redis.set("conversation:slack:C1", "{}")
        redis.set("conversation:slack:C2", "{}")
        prometheus.await_exactly("AgentSmithConversationStuck")
        redis.delete("conversation:slack:C2")
        prometheus.await_exactly()
        namespace.delete("/apis/batch/v1", "jobs", RUNNING)
        prometheus.await_exactly("AgentSmithConversationStuck")
        redis.delete("conversation:slack:C1")
        prometheus.await_exactly()

        number = 0
        while not redis.info("stats")["evicted_keys"]:
            number += 1
            redis.set(f"job:{number}:out", "x" * 10_000)
        prometheus.await_exactly("AgentSmithRedisDataHigh", "AgentSmithRedisEvicting")
        redis.flushall()
        prometheus.await_exactly()


def test_certificate(namespace: Namespace, tmp_path: Path) -> None:
    control_plane = namespace.control_plane
    for definition in definitions():
        assert control_plane.request("POST", DEFINITIONS, definition)[0] == 201
    certificates = f"/apis/{CERT_MANAGER}/v1/namespaces/{namespace.name}/certificates"
    issuers = f"/apis/{CERT_MANAGER}/v1/namespaces/{namespace.name}/issuers"
    served = (certificates, issuers, f"/apis/{GATEWAY_API}/v1/gateways")
    await_true(lambda: all(control_plane.request("GET", path)[0] == 200 for path in served))
    api_version = f"{CERT_MANAGER}/v1"
    issuer = {"apiVersion": api_version, "kind": "Issuer", "metadata": {"name": "own"}, "spec": {"selfSigned": {}}}
    assert control_plane.request("POST", issuers, issuer)[0] == 201
    spec = {"secretName": "tls", "duration": "1h", "dnsNames": ["a.example.com"], "issuerRef": {"name": "own"}}
    certificate = {"apiVersion": api_version, "kind": "Certificate", "metadata": {"name": "tls"}, "spec": spec}
    assert control_plane.request("POST", certificates, certificate)[0] == 201
    with (
        running_cert_manager(tmp_path, namespace.kubeconfig) as scraped,
        running_prometheus(tmp_path, namespace.objects, [scraped]) as prometheus,
    ):
        until(lambda: "notAfter" in control_plane.get(f"{certificates}/tls").get("status", {}), lambda: "not issued")
        prometheus.await_exactly("AgentSmithCertificateExpiring")
        longer = {"spec": {"duration": "2160h"}}
        assert control_plane.request("PATCH", f"{certificates}/tls", longer, MERGE)[0] == 200
        prometheus.await_exactly()
