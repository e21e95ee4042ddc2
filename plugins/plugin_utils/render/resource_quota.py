# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a namespace needs: what the workloads of a release request at most, and room for a number of Jobs.

Room for a rollout is room for further Jobs while nothing rolls: both numbers are told.

Requests, not limits: a quota on limits would refuse Jobs that fit on the nodes
(https://kubernetes.io/docs/concepts/policy/resource-quotas/).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..objects.kinds import kind_of_body, pod_template
from ..objects.managed_fields import value_at
from ..objects.quantity import parse_quantity

RESOURCES = ("cpu", "memory")
_MILLI = Decimal("0.001")
_MEBI = Decimal(1024**2)


def hard_limits(
    workloads: Sequence[Mapping[str, Any]],
    jobs: int,
    job_requests: Mapping[str, str],
    job_objects: int,
    default_requests: Mapping[str, str],
) -> dict[str, str]:
    """Return `spec.hard` of a ResourceQuota.

    The arithmetic, for each of CPU and memory:
    pods at once x requests of a pod, over all workloads, + `jobs` x requests of a Job.

    :param workloads: the objects of a release; those that run no pods do not count.
    :param jobs: how many Jobs run at the same time.
    :param job_requests: what the pod of a Job requests, `cpu` and `memory`.
    :param job_objects: how many Jobs may exist, running, waiting and ended.
    :param default_requests: what a container gets that requests nothing (a LimitRange).
    :raises ValueError: for what is no quantity.
    """
    needs = _needs(workloads, _pods_at_once, default_requests)
    job = _job_needs(job_requests)
    total = {limit: needs[limit] + jobs * job[limit] for limit in needs}
    return {
        "requests.cpu": f"{math.ceil(total['requests.cpu'] / _MILLI)}m",
        "requests.memory": f"{math.ceil(total['requests.memory'] / _MEBI)}Mi",
        "pods": str(total["pods"]),
        "count/jobs.batch": str(job_objects),
    }


def jobs_at_rest(
    hard: Mapping[str, str],
    workloads: Sequence[Mapping[str, Any]],
    job_requests: Mapping[str, str],
    default_requests: Mapping[str, str],
) -> int:
    """Return how many Jobs run at the same time within *hard*, what `hard_limits` returns, while no workload rolls."""
    needs = _needs(workloads, _pods_at_rest, default_requests)
    job = _job_needs(job_requests)
    running = [int((parse_quantity(hard[limit]) - needs[limit]) // job[limit]) for limit in needs if job[limit]]
    return min(*running, int(hard["count/jobs.batch"]))


def _needs(
    workloads: Sequence[Mapping[str, Any]],
    pods_of: Callable[[Mapping[str, Any]], int],
    default_requests: Mapping[str, str],
) -> dict[str, Decimal]:
    pods = [(pods_of(body), pod_template(body)["spec"]) for body in workloads if kind_of_body(body).has_pods]
    requests = {
        f"requests.{resource}": sum(
            (number * _request(pod, resource, default_requests) for number, pod in pods), Decimal(0)
        )
        for resource in RESOURCES
    }
    return {**requests, "pods": Decimal(sum(number for number, _pod in pods))}


def _job_needs(job_requests: Mapping[str, str]) -> dict[str, Decimal]:
    requests = {f"requests.{resource}": parse_quantity(job_requests[resource]) for resource in RESOURCES}
    return {**requests, "pods": Decimal(1)}


def _pods_at_rest(workload: Mapping[str, Any]) -> int:
    """Return how many pods of a workload run while nothing rolls: one of a DaemonSet, as the nodes are not known."""
    path = kind_of_body(workload).pod_count
    stated = value_at(workload, path) if path else None
    return 1 if stated is None else int(stated)


def _pods_at_once(workload: Mapping[str, Any]) -> int:
    """Return how many pods of a workload count at the worst moment of a rollout.

    A rolling update has made all new pods before the last of the old ones, which counts until it has ended, is gone.
    """
    surges = kind_of_body(workload).surges and value_at(workload, ("spec", "strategy", "type")) != "Recreate"
    return _pods_at_rest(workload) * (2 if surges else 1)


def _request(pod: Mapping[str, Any], resource: str, default_requests: Mapping[str, str]) -> Decimal:
    """Return what a pod requests as the scheduler counts it.

    The larger of all containers together and the greediest init container; an init container that is restarted
    (a sidecar) counts as a container (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
    """
    initial = pod.get("initContainers") or []
    sidecars = [entry for entry in initial if entry.get("restartPolicy") == "Always"]
    passing = [entry for entry in initial if entry.get("restartPolicy") != "Always"]
    together = sum(
        (_request_of(entry, resource, default_requests) for entry in [*pod["containers"], *sidecars]), Decimal(0)
    )
    return max([together, *(_request_of(entry, resource, default_requests) for entry in passing)])


def _request_of(container: Mapping[str, Any], resource: str, default_requests: Mapping[str, str]) -> Decimal:
    resources = container.get("resources") or {}
    # The API server takes a limit for the request where there is none.
    for stated in (resources.get("requests"), resources.get("limits"), default_requests):
        if stated and resource in stated:
            return Decimal(parse_quantity(stated[resource]))
    return Decimal(0)
