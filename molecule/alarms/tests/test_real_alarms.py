# SPDX-License-Identifier: GPL-3.0-or-later
"""What real pods and a real kubelet do makes the alarms fire, and they clear."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import KUBECONFIG, KUBECTL
from monitored import REDIS_PASSWORD, Prometheus, until, watching_prometheus

JOB = "agentsmith-00000000000"
CONVERSATION = "conversation:slack:C0ALARMS"
MEGABYTES = 120  # of the 384 MiB that the container may use: more than monitoring_redis_memory_percent


@pytest.fixture(scope="module")
def prometheus(get: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with watching_prometheus(get, tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
def redis() -> Callable[[str], str]:
    """Send commands to Redis as the app may. The password is in no argument."""

    def send(commands: str) -> str:
        command = [
            KUBECTL,
            "--kubeconfig",
            KUBECONFIG,
            "-n",
            "agentsmith",
            "exec",
            "-i",
            "deploy/redis",
            "--",
            "redis-cli",
        ]
        text = f"AUTH agentsmith {REDIS_PASSWORD}\n{commands}\n"
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60).stdout

    return send


@pytest.fixture
def jobs(kubectl: Callable[..., str], get: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start Jobs of Redis' image for as long as a context lasts: `with jobs("sleep", "600", count=2):`."""
    (container,) = get("deployment/redis")["spec"]["template"]["spec"]["containers"]

    @contextmanager
    def run(*command: str, count: int = 1, image: str = container["image"], **spec: Any) -> Iterator[None]:
        pod = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "agentsmith", "image": image, "command": command}],
        }
        template = {"metadata": {"labels": {"app": "agentsmith"}}, "spec": pod}
        items = [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": f"{JOB}{number}"},
                "spec": {"backoffLimit": 0, **spec, "template": template},
            }
            for number in range(count)
        ]
        file = tmp_path / "jobs.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        kubectl("-n agentsmith create -f %s", str(file))
        try:
            yield
        finally:
            kubectl("-n agentsmith delete -f %s --wait", str(file))

    return run


def test_a_healthy_release_is_quiet_and_seen(prometheus: Prometheus) -> None:
    seen = (
        "redis_up",
        "redis_keys_count",
        "kube_deployment_status_replicas_available",
        'container_memory_working_set_bytes{container="redis"}',
    )
    until(
        lambda: all(prometheus.values(metric) for metric in seen),
        lambda: [prometheus.values(metric) for metric in seen],
    )
    # Through the NetworkPolicies, and without the password that Redis has
    assert prometheus.values("redis_up") == [1]
    prometheus.await_exactly()


def test_an_image_that_cannot_be_pulled(prometheus: Prometheus, jobs: Callable[..., Any]) -> None:
    with jobs("true", image="registry.invalid/agentsmith:1"):
        prometheus.await_exactly("AgentSmithJobPending")
    prometheus.await_exactly()


def test_jobs_that_fail(prometheus: Prometheus, jobs: Callable[..., Any]) -> None:
    with jobs("false", count=3):
        prometheus.await_exactly("AgentSmithJobsFailing")
    prometheus.await_exactly()


def test_a_job_near_its_deadline(prometheus: Prometheus, jobs: Callable[..., Any]) -> None:
    with jobs("sleep", "600", activeDeadlineSeconds=600):
        prometheus.await_exactly("AgentSmithJobNearDeadline")
    prometheus.await_exactly()


def test_a_conversation_without_a_job(prometheus: Prometheus, redis: Callable[[str], str]) -> None:
    redis(f"SET {CONVERSATION} {{}}")
    prometheus.await_exactly("AgentSmithConversationStuck")
    redis(f"DEL {CONVERSATION}")
    prometheus.await_exactly()


def test_memory_of_redis(prometheus: Prometheus, redis: Callable[[str], str]) -> None:
    fill = "for number = 1, ARGV[1] do redis.call('SET', 'job:' .. number .. ':out', string.rep('x', 1048576)) end"
    redis(f'EVAL "{fill}" 0 {MEGABYTES}')
    prometheus.await_exactly("AgentSmithRedisMemoryHigh")
    redis("FLUSHALL\nMEMORY PURGE")
    prometheus.await_exactly()


def test_a_container_that_restarts(prometheus: Prometheus, kubectl: Callable[..., str]) -> None:
    kubectl("-n agentsmith exec deploy/redis -- sh -c 'kill 1'")
    prometheus.await_exactly("AgentSmithContainerRestarting")
    prometheus.await_exactly()


def test_pods_that_are_away(prometheus: Prometheus, kubectl: Callable[..., str]) -> None:
    kubectl("-n agentsmith scale --replicas=0 deploy/redis deploy/agentsmith-dispatcher")
    prometheus.await_exactly("AgentSmithDispatcherUnavailable", "AgentSmithRedisUnavailable")
    kubectl("-n agentsmith scale --replicas=1 deploy/redis deploy/agentsmith-dispatcher")
    prometheus.await_exactly()


def test_a_rollout_that_does_not_end(prometheus: Prometheus, kubectl: Callable[..., str]) -> None:
    patch = '{"spec": {"progressDeadlineSeconds": 5}}'
    kubectl("-n agentsmith patch deploy/agentsmith-dispatcher -p %s", patch)
    kubectl("-n agentsmith set image deploy/agentsmith-dispatcher dispatcher=registry.invalid/dispatcher:1")
    prometheus.await_exactly("AgentSmithRolloutFailed")
    kubectl("-n agentsmith rollout undo deploy/agentsmith-dispatcher")
    prometheus.await_exactly()


def test_who_reaches_the_exporter(kubectl: Callable[..., str], get: Callable[..., Any]) -> None:
    (exporter,) = [pod for pod in get("pods") if pod["metadata"]["labels"].get("app") == "redis-exporter"]
    (container,) = get("deployment/redis")["spec"]["template"]["spec"]["containers"]
    connect = f"timeout 5 bash -c '</dev/tcp/{exporter['status']['podIP']}/9121' && echo reached || echo refused"
    for namespace, answer in (("monitoring", "reached"), ("elsewhere", "refused")):
        kubectl(f"create namespace {namespace}")
        try:
            said = kubectl(
                f"-n {namespace} run caller --image={container['image']} --image-pull-policy=Never --restart=Never "
                "--attach --quiet --rm --command -- sh -c %s",
                connect,
            )
            assert answer in said.split()
        finally:
            kubectl(f"delete namespace {namespace} --wait")
