# SPDX-License-Identifier: GPL-3.0-or-later
"""A service mesh or a policy puts a container of its own before ours: what is asked is ours, by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import ContainerOf
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.pod import container_of
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.conversations import Conversations
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.status import read_status
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import (
    checks,
    config_probes,
    dispatcher_probes,
    redis_probes,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.job_policy import check_completed
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.spawned_job import spawned_job
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

NAMES = Names("n", "agentsmith-secrets", "agentsmith-config", "agentsmith")
PROXY = {"name": "linkerd-proxy", "image": "proxy:1", "args": ["proxy"], "ports": [{"containerPort": 4143}]}
ENV = [{"name": "AGENTSMITH_IMAGE", "value": "agent:7"}, {"name": "K8S_SECRET_NAME", "value": "own"}]
METRICS_FIRST = [{"name": "metrics", "containerPort": 9090}, {"name": "http", "containerPort": 8081}]
DISPATCHER = {"name": "dispatcher", "image": "dispatcher:1", "env": ENV, "ports": METRICS_FIRST}
REDIS = {"name": "redis", "image": "redis:1", "args": ["--maxmemory", "1mb"], "ports": [{"containerPort": 6379}]}


def a_deployment(name: str, *containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"spec": {"containers": [*containers]}}},
    }


def a_pod(name: str, *containers: dict[str, Any]) -> dict[str, Any]:
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.0.5"}
    return {"metadata": {"name": name, "uid": name}, "spec": {"containers": [*containers]}, "status": ready}


def the_target(pod: dict[str, Any], *deployments: dict[str, Any]) -> Target:
    """Return an installation with these Deployments and one ready pod."""
    answers: dict[str, Any] = {
        f"/apis/apps/v1/namespaces/n/deployments/{body['metadata']['name']}": body for body in deployments
    }
    answers["/api/v1/namespaces/n/pods"] = {"items": [pod]}
    answers["/apis/batch/v1/namespaces/n/jobs"] = {"items": []}
    answers["/api/v1/namespaces/n/configmaps/agentsmith-config"] = {"data": {"agentsmith.yml": "{}"}}
    answers["/api/v1/namespaces/n"] = {"metadata": {"name": "n"}}
    return Target(FakeConnection(answers), NAMES, [])


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the containers and ports that are forwarded; a file is read in the container at port 0."""
    opened: list[tuple[str, int]] = []

    @contextmanager
    def forwarded_port(_connection: Any, pod: ContainerOf, port: int, _timeout: float) -> Iterator[None]:
        opened.append((pod.container, port))
        yield

    def output_of(_connection: Any, pod: ContainerOf, _command: Any) -> str:
        opened.append((pod.container, 0))
        return "{}"

    monkeypatch.setattr(dispatcher_probes, "forwarded_port", forwarded_port)
    monkeypatch.setattr(dispatcher_probes, "send_request", lambda *_arguments: Answer(200, '{"status":"ok"}', 0.01))
    monkeypatch.setattr(config_probes, "output_of", output_of)
    return opened


@pytest.mark.parametrize("containers", [(PROXY, DISPATCHER), (DISPATCHER, PROXY)], ids=["before", "behind"])
def test_the_dispatcher_is_asked_at_its_own_port_and_its_own_file(
    streams: list[tuple[str, int]], containers: tuple[dict[str, Any], ...]
) -> None:
    target = the_target(a_pod("d", *containers), a_deployment("agentsmith-dispatcher", DISPATCHER))
    outcomes = checks.verify(Asked(target, "secret", "", 0), ["health", "mounted_config"])
    assert {outcome.check: outcome.result for outcome in outcomes} == {"health": "ok", "mounted_config": "ok"}
    assert set(streams) == {("dispatcher", 8081), ("dispatcher", 0)}


def test_redis_is_compared_with_its_own_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def command(self, *parts: str) -> Any:
            settings = {"maxmemory": "1048576", "maxmemory-policy": "", "save": "", "appendonly": "no"}
            return ["", settings.get(parts[-1], "")] if parts[0] == "CONFIG" else "PONG"

    asked: list[ContainerOf] = []

    @contextmanager
    def redis_client(_target: Any, pod: ContainerOf, _timeout: float) -> Iterator[Client]:
        asked.append(pod)
        yield Client()

    monkeypatch.setattr(redis_probes, "redis_client", redis_client)
    target = the_target(a_pod("r", PROXY, REDIS), a_deployment("redis", PROXY, REDIS))
    (outcome,) = checks.verify(Asked(target, "secret", "", 0), ["redis_maxmemory"])
    assert (outcome.result, outcome.evidence) == ("ok", "1048576 bytes, wanted 1mb")
    assert asked == [ContainerOf("n", "r", "redis")]


def test_the_job_to_come_and_the_status_follow_our_container() -> None:
    dispatcher = a_deployment("agentsmith-dispatcher", PROXY, DISPATCHER)
    job = spawned_job("n", dispatcher, APPS["be4bffa1"])
    assert container_of(job["spec"]["template"], "agentsmith")["image"] == "agent:7"
    target = the_target(a_pod("d", PROXY, DISPATCHER), dispatcher, a_deployment("redis", PROXY, REDIS))
    status = read_status(target, lambda *_asked: Conversations([], []))
    assert [workload.image for workload in status.workloads] == ["dispatcher:1", "redis:1"]
    assert status.agent_image == "agent:7"


def test_the_completed_job_is_judged_by_the_agents_container() -> None:
    agent = {
        "name": "agentsmith",
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": "config", "mountPath": "/app/config/agentsmith.yml"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "volumes": [{"name": "config", "configMap": {"name": "agentsmith-config"}}],
        "containers": [PROXY, agent],
    }
    job = {"spec": {"activeDeadlineSeconds": 60, "template": {"spec": pod}}}
    assert check_completed("job_policy_completes", "agentsmith-config", job).result == "ok"


def test_a_container_of_another_name_is_the_one_that_kubectl_takes() -> None:
    pod = a_pod("by-hand", PROXY, {"name": "app"})
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "app"}
    assert container_of(pod, "dispatcher")["name"] == "app"
    del pod["metadata"]["annotations"]
    assert container_of(pod, "dispatcher")["name"] == "linkerd-proxy"
