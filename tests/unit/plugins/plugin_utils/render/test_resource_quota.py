# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the quota: pods at once, what each of them requests, and the Jobs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.resource_quota import hard_limits, jobs_at_rest

JOB = {"cpu": "250m", "memory": "512Mi"}
DEFAULT = {"cpu": "10m", "memory": "1Mi"}


def container(cpu: str | None = None, memory: str | None = None, **more: Any) -> dict[str, Any]:
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": "c", "resources": {"requests": requests}, **more}


def deployment(replicas: int | None, *containers: dict[str, Any], **pod: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"template": {"spec": {"containers": list(containers), **pod}}}
    spec |= {} if replicas is None else {"replicas": replicas}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}


def hard(*workloads: dict[str, Any], jobs: int = 0) -> dict[str, str]:
    return hard_limits(workloads, jobs, JOB, 100, DEFAULT)


def test_jobs_alone() -> None:
    assert hard(jobs=4) == {
        "requests.cpu": "1000m",
        "requests.memory": "2048Mi",
        "pods": "4",
        "count/jobs.batch": "100",
    }


def test_a_deployment_that_rolls_counts_twice() -> None:
    limits = hard(deployment(3, container("0.1", "1Gi")))
    assert (limits["requests.cpu"], limits["requests.memory"], limits["pods"]) == ("600m", "6144Mi", "6")


def test_one_replica_is_kubernetes_default() -> None:
    assert hard(deployment(None, container("1", "1Gi")))["pods"] == "2"


def test_pods_that_are_replaced_one_after_the_other_count_once() -> None:
    recreated = deployment(1, container("1", "1Gi"))
    recreated["spec"]["strategy"] = {"type": "Recreate"}
    stateful = {**deployment(2, container("1", "1Gi")), "kind": "StatefulSet"}
    assert hard(recreated, stateful)["pods"] == "3"


def test_other_kinds_do_not_count() -> None:
    others = [{"apiVersion": "v1", "kind": "Secret", "data": {}}, {"apiVersion": "v1", "kind": "Service", "spec": {}}]
    namesake = {**deployment(1, container("1")), "apiVersion": "example.com/v1"}
    assert hard(*others, namesake)["pods"] == "0"


def workload(kind: str, api_version: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [container("100m", "64Mi")]}}
    return {"apiVersion": api_version, "kind": kind, "spec": {"template": template, **spec}}


def cron_job(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": workload("Job", "batch/v1", **spec)}}


@pytest.mark.parametrize(
    ("body", "pods"),
    [
        (workload("StatefulSet", "apps/v1", replicas=3), 3),
        (workload("ReplicaSet", "apps/v1", replicas=3), 3),
        # On how many nodes, only the cluster knows
        (workload("DaemonSet", "apps/v1"), 1),
        (workload("Job", "batch/v1"), 1),
        (workload("Job", "batch/v1", parallelism=4), 4),
        (cron_job(), 1),
        (cron_job(parallelism=4), 4),
        ({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container("100m", "64Mi")]}}, 1),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_every_kind_that_runs_pods_counts_them_once(body: dict[str, Any], pods: int) -> None:
    limits = hard(body)
    assert (limits["pods"], limits["requests.cpu"]) == (str(pods), f"{pods * 100}m")
    assert limits["requests.memory"] == f"{pods * 64}Mi"
    assert jobs_at_rest(hard(body, jobs=10), [body], JOB, DEFAULT) == 10


@pytest.mark.parametrize(
    ("pod", "cpu"),
    [
        (deployment(1, container("1"), container("500m")), "3000m"),
        # Init containers run one after the other, before the others
        (deployment(1, container("1"), initContainers=[container("3"), container("2")]), "6000m"),
        (deployment(1, container("1"), initContainers=[container("500m")]), "2000m"),
        # A sidecar stays
        (deployment(1, container("1"), initContainers=[container("500m", restartPolicy="Always")]), "3000m"),
        (deployment(1, {"name": "c", "resources": {"limits": {"cpu": "2"}}}), "4000m"),
        (deployment(1, {"name": "c"}), "20m"),
        (deployment(1, container("0.0001")), "1m"),
    ],
    ids=["containers", "init-larger", "init-smaller", "sidecar", "limit", "default", "rounded-up"],
)
def test_what_a_pod_requests(pod: dict[str, Any], cpu: str) -> None:
    assert hard(pod)["requests.cpu"] == cpu


@pytest.mark.parametrize(
    ("replicas", "cpu", "memory", "at_rest"),
    [
        (0, "1", "1Gi", 10),
        (1, "100m", "256Mi", 10),
        (1, "250m", "512Mi", 11),
        # What is scarcest counts: CPU, memory, pods
        (3, "249m", "1Gi", 12),
        (3, "1", "341Mi", 11),
        (3, "1", "1Gi", 13),
    ],
)
def test_room_for_a_rollout_is_room_for_jobs_at_rest(replicas: int, cpu: str, memory: str, at_rest: int) -> None:
    workloads = [deployment(replicas, container(cpu, memory))]
    assert jobs_at_rest(hard(*workloads, jobs=10), workloads, JOB, DEFAULT) == at_rest


def test_no_more_jobs_run_than_may_exist() -> None:
    workloads = [deployment(3, container("1", "1Gi"))]
    limits = {**hard(*workloads, jobs=10), "count/jobs.batch": "12"}
    assert jobs_at_rest(limits, workloads, JOB, DEFAULT) == 12


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="lots"):
        hard(deployment(1, container("lots")))
