# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a workload of each kind is, by its status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.kinds import KINDS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.progress import JUDGES, progress_of


def condition(kind: str, status: str = "True", **details: str) -> dict[str, Any]:
    """Return a condition."""
    return {"type": kind, "status": status, **details}


def workload(kind: str, api_version: str, spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    """Return a workload whose controller has seen its second generation."""
    metadata = {"name": "x", "namespace": "n", "uid": "x-uid", "generation": 2}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
    return {**body, "status": {"observedGeneration": 2, **status}}


def deployment(**status: Any) -> dict[str, Any]:
    """Return a Deployment of one replica with the status."""
    return workload("Deployment", "apps/v1", {"replicas": 1}, **status)


def job(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Return a Job with the conditions; it states no observed generation."""
    body = workload("Job", "batch/v1", {})
    return {**body, "status": {"conditions": list(conditions)}}


def stateful_set(update: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """Return a StatefulSet of three replicas with the status."""
    spec = {"replicas": 3, "updateStrategy": update or {"type": "RollingUpdate"}}
    return workload("StatefulSet", "apps/v1", spec, **status)


def daemon_set(update: str = "RollingUpdate", **status: Any) -> dict[str, Any]:
    """Return a DaemonSet with the status."""
    return workload("DaemonSet", "apps/v1", {"updateStrategy": {"type": update}}, **status)


def replica_set(**status: Any) -> dict[str, Any]:
    """Return a ReplicaSet of two replicas with the status."""
    return workload("ReplicaSet", "apps/v1", {"replicas": 2}, **status)


def pod(phase: str, *conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    """Return a pod that no controller makes."""
    return workload("Pod", "v1", {}, phase=phase, conditions=list(conditions), **status)


COMPLETE = deployment(replicas=1, updatedReplicas=1, availableReplicas=1)
STARTING = deployment(replicas=1, updatedReplicas=1)
PARTITION = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}

OF_OTHER_KINDS = [
    (stateful_set(replicas=3, updatedReplicas=3, availableReplicas=3), True, ""),
    (stateful_set(replicas=3, updatedReplicas=2, availableReplicas=3), False, ""),  # one is of the old revision
    (stateful_set(replicas=3, updatedReplicas=3, availableReplicas=2), False, ""),
    (stateful_set(replicas=4, updatedReplicas=4, availableReplicas=4), False, ""),  # one has yet to go
    (stateful_set(observedGeneration=1, replicas=3, updatedReplicas=3, availableReplicas=3), False, ""),
    (stateful_set(), False, ""),
    (stateful_set(PARTITION, replicas=3, updatedReplicas=1, availableReplicas=3), True, ""),
    (stateful_set(PARTITION, replicas=3, updatedReplicas=0, availableReplicas=3), False, ""),
    (stateful_set({"type": "OnDelete"}, replicas=3, availableReplicas=3), True, ""),
    (stateful_set({"type": "OnDelete"}, replicas=3, availableReplicas=2), False, ""),
    (daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2), True, ""),
    (daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=1, numberAvailable=2), False, ""),
    (daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=1), False, ""),
    (daemon_set(desiredNumberScheduled=0), True, ""),  # no node is to have one
    (daemon_set(observedGeneration=0, desiredNumberScheduled=0), False, ""),  # nobody has looked for nodes yet
    (daemon_set("OnDelete", desiredNumberScheduled=2, updatedNumberScheduled=0, numberAvailable=2), True, ""),
    (replica_set(replicas=2, availableReplicas=2), True, ""),
    (replica_set(replicas=2, availableReplicas=1), False, ""),
    (replica_set(replicas=3, availableReplicas=3), False, ""),
    (replica_set(observedGeneration=1, replicas=2, availableReplicas=2), False, ""),
    (pod("Pending"), False, ""),
    (pod("Running"), False, ""),
    (pod("Running", condition("Ready")), True, ""),
    (pod("Running", condition("Ready", "False")), False, ""),
    (pod("Running", condition("Ready"), observedGeneration=1), False, ""),
    (pod("Succeeded"), True, ""),
    (pod("Failed", reason="Evicted", message="disk is full"), False, "Evicted: disk is full"),
    (pod("Failed"), False, "Failed"),
    (workload("CronJob", "batch/v1", {}, observedGeneration=0), True, ""),
    (workload("Deployment", "example.com/v1", {}), True, ""),
]


@pytest.mark.parametrize(
    ("workload", "complete", "failure"),
    [
        (COMPLETE, True, ""),
        (deployment(replicas=2, updatedReplicas=1, availableReplicas=2), False, ""),  # an old pod is left
        (deployment(replicas=1, updatedReplicas=0, availableReplicas=1), False, ""),  # only old pods
        (STARTING, False, ""),
        (deployment(observedGeneration=1, replicas=1, updatedReplicas=1, availableReplicas=1), False, ""),
        (deployment(), False, ""),
        (
            deployment(conditions=[condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="m")]),
            False,
            "ProgressDeadlineExceeded: m",
        ),
        # what an older generation ran into is no verdict on this one
        (
            deployment(
                observedGeneration=1,
                conditions=[condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="m")],
            ),
            False,
            "",
        ),
        ({**deployment(), "spec": {"replicas": 0}}, True, ""),
        ({**deployment(), "spec": {"replicas": 1, "paused": True}}, False, "Paused"),
        (job(), False, ""),
        (job(condition("Complete")), True, ""),
        (job(condition("Complete", "False")), False, ""),
        (job(condition("Failed", reason="DeadlineExceeded", message="too long")), False, "DeadlineExceeded: too long"),
        (job(condition("FailureTarget", reason="BackoffLimitExceeded")), False, "BackoffLimitExceeded"),
        ({"apiVersion": "v1", "kind": "Service", "metadata": {}}, True, ""),
        *OF_OTHER_KINDS,
    ],
)
def test_progress_is_judged_from_the_status(workload: dict[str, Any], complete: bool, failure: str) -> None:
    progress = progress_of(workload)
    assert progress.complete is complete
    assert progress.failure.startswith(failure) if failure else not progress.failure


def test_every_kind_that_is_waited_for_is_judged() -> None:
    assert {kind.name for kind in KINDS.values() if kind.is_awaited} == set(JUDGES)


@pytest.mark.parametrize("state", [deployment(), replica_set()])
def test_a_refusal_of_pods_that_is_stated_is_a_cause(state: dict[str, Any]) -> None:
    state["status"]["conditions"] = [condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota")]
    cause = progress_of(state).cause
    assert cause and (cause.reason, cause.message, cause.grace) == ("FailedCreate", "exceeded quota", 10)
