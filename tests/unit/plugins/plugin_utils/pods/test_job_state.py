# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Job is doing, and by which name its trouble goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.job_state import state_of

NOW = datetime(2026, 1, 2, 12, 1, 0, tzinfo=UTC)
QUOTA = 'pods "agentsmith-1" is forbidden: exceeded quota: compute, requested: requests.memory=512Mi'
DENIED = 'admission webhook "validate.kyverno.svc-fail" denied the request: no digest'
SECURITY = 'pods "agentsmith-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot'


def a_job(condition: str = "", reason: str = "", message: str = "") -> dict[str, Any]:
    entry = {
        "type": condition,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-02T12:00:40Z",
    }
    container = {"name": "agentsmith", "args": ["--headless", "fix #54 in web"]}
    return {
        "metadata": {"name": "agentsmith-1", "uid": "u", "creationTimestamp": "2026-01-02T12:00:00Z"},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"conditions": [entry] if condition else []},
    }


def a_pod(phase: str, state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    statuses = [{"name": "agentsmith", "state": state}] if state else []
    return {"metadata": {"uid": "p", "name": "p"}, "status": {"phase": phase, "containerStatuses": statuses, **status}}


def ended(reason: str, code: int) -> dict[str, Any]:
    return a_pod("Failed", {"terminated": {"reason": reason, "exitCode": code}})


def waits(reason: str, message: str = "") -> dict[str, Any]:
    return a_pod("Pending", {"waiting": {"reason": reason, "message": message}})


UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: memory"}
BACKOFF = ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


@pytest.mark.parametrize(
    ("job", "pods", "events", "state", "cause"),
    [
        (a_job(), [], [], "waiting", ""),
        (a_job(), [a_pod("Running", {"running": {}})], [], "running", ""),
        (a_job("Complete"), [a_pod("Succeeded")], [], "complete", ""),
        (a_job(*BACKOFF), [ended("OOMKilled", 137)], [], "failed", "OOMKilled: the container needed more memory"),
        (a_job(*BACKOFF), [ended("Error", 1)], [], "failed", "Error, exit code 1 (it failed, and its log says why)"),
        (a_job(*BACKOFF), [ended("Error", 143)], [], "failed", "Error, exit code 143 (SIGTERM: told to stop)"),
        (a_job(*BACKOFF), [ended("Error", 134)], [], "failed", "Error, exit code 134 (SIGABRT: aborted, as .NET does"),
        (a_job(*BACKOFF), [ended("Error", 42)], [], "failed", "Error, exit code 42"),
        (a_job(*BACKOFF), [a_pod("Failed")], [], "failed", "BackoffLimitExceeded: Job has reached"),
        (a_job(*BACKOFF), [], [], "failed", "BackoffLimitExceeded: its pod was deleted, as the drain of a node does"),
        (a_job(*BACKOFF), [a_pod("Failed", reason="Evicted", message="low disk")], [], "failed", "Evicted: low disk"),
        (a_job("Failed", "DeadlineExceeded", "too long"), [], [], "failed", "DeadlineExceeded: too long"),
        (a_job("FailureTarget", "DeadlineExceeded", "too long"), [], [], "failed", "DeadlineExceeded: too long"),
        (
            a_job("Failed", "DeadlineExceeded", "too long"),
            [ended("Error", 143)],
            [],
            "failed",
            "DeadlineExceeded: too long",
        ),
        (a_job(), [waits("ImagePullBackOff", "Back-off")], [], "waiting", "ImagePullBackOff: Back-off"),
        (a_job(), [waits("ErrImageNeverPull")], [], "waiting", "ErrImageNeverPull"),
        (a_job(), [waits("ContainerCreating")], [], "waiting", ""),
        (a_job(), [a_pod("Pending", conditions=[UNSCHEDULED])], [], "waiting", "Unschedulable: 0/1 nodes: memory"),
        (a_job(), [], [{"reason": "FailedCreate", "message": QUOTA}], "waiting", f"quota: {QUOTA}"),
        (a_job(), [], [{"reason": "FailedCreate", "message": SECURITY}], "waiting", f"Pod Security: {SECURITY}"),
        (a_job(), [], [{"reason": "FailedCreate", "message": "no"}], "waiting", "FailedCreate: no"),
        (a_job(), [], [{"reason": "FailedCreate", "message": DENIED}], "waiting", f"admission: {DENIED}"),
        (a_job(), [a_pod("Pending")], [{"reason": "FailedCreate", "message": QUOTA}], "waiting", ""),
    ],
)
def test_state_and_cause(job: Any, pods: Any, events: Any, state: str, cause: str) -> None:
    found = state_of(job, pods, events, NOW)
    assert found.state == state
    assert found.cause.startswith(cause)
    assert bool(found.cause) == bool(cause)


CONTAINERS_READY = {"type": "ContainersReady", "status": "True"}
TAINT = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "DeletionByTaintManager",
    "message": "Taint manager: deleting due to NoExecute taint",
}


def on_node(*conditions: dict[str, Any], deleted: bool = False) -> dict[str, Any]:
    pod = a_pod("Running", {"running": {}}, conditions=list(conditions))
    pod["spec"] = {"nodeName": "worker-2"}
    if deleted:
        pod["metadata"]["deletionTimestamp"] = "2026-01-02T12:00:50Z"
    return pod


@pytest.mark.parametrize(
    ("job", "pod", "state", "cause"),
    [
        # As the node lifecycle controller marks a pod; as the kubelet does, whose node is well
        (
            a_job(),
            on_node({"type": "Ready", "status": "False"}, CONTAINERS_READY),
            "running",
            "NodeNotReady: node worker-2",
        ),
        (
            a_job(),
            on_node(
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
                {"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady"},
            ),
            "running",
            "",
        ),
        (
            a_job(),
            on_node({"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}, CONTAINERS_READY),
            "running",
            "",
        ),
        (a_job(), on_node({"type": "Ready", "status": "True"}, CONTAINERS_READY), "running", ""),
        # The Job waits for a kubelet that is gone, so it does not get further than this condition
        (
            a_job("FailureTarget", "BackoffLimitExceeded", "no retry"),
            on_node(TAINT, deleted=True),
            "failed",
            "DeletionByTaintManager: Taint manager: deleting due to NoExecute taint. Node worker-2 has not confirmed",
        ),
        (
            a_job(),
            on_node({**TAINT, "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}, deleted=True),
            "running",
            "EvictionByEvictionAPI: Eviction API: evicting. Node worker-2",
        ),
        (a_job(), on_node({**TAINT, "status": "False"}, deleted=True), "running", ""),
    ],
)
def test_a_node_that_is_gone_or_drained_is_the_cause(job: Any, pod: Any, state: str, cause: str) -> None:
    found = state_of(job, [pod], [], NOW)
    assert (found.state, found.node) == (state, "worker-2")
    assert found.cause.startswith(cause)
    assert bool(found.cause) == bool(cause)


def test_the_channel_is_told() -> None:
    job = a_job()
    assert state_of(job, [], [], NOW).channel == ""
    job["spec"]["template"]["spec"]["containers"][0]["args"] = ["--channel-id", "C024BE91L", "fix #54 in web"]
    assert state_of(job, [], [], NOW).channel == "C024BE91L"


def test_what_is_told_besides() -> None:
    running = state_of(a_job(), [], [], NOW)
    assert (running.name, running.request, running.age, running.duration) == (
        "agentsmith-1",
        "fix #54 in web",
        60,
        None,
    )
    assert state_of(a_job("Complete"), [], [], NOW).duration == 40


def test_a_sidecar_before_the_agent_hides_neither_the_request_nor_the_cause() -> None:
    job = a_job(*BACKOFF)
    job["spec"]["template"]["spec"]["containers"].insert(0, {"name": "a-proxy", "args": ["proxy"]})
    pod = ended("OOMKilled", 137)
    proxy = {"name": "a-proxy", "state": {"terminated": {"reason": "Error", "exitCode": 143}}}
    pod["status"]["containerStatuses"].insert(0, proxy)
    state = state_of(job, [pod], [], NOW)
    assert state.request == "fix #54 in web"
    assert state.cause.startswith("OOMKilled")
