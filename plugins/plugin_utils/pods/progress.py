# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a workload is, judged from its status alone, as `kubectl rollout status` and `kubectl wait` judge it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..objects.kinds import is_rolled_by_hand, kind_of_body
from ..objects.managed_fields import value_at
from ..text.counted import counted
from .diagnosis import Cause, refused_pods
from .pod import is_ready


@dataclass(frozen=True)
class Progress:
    """How far a workload is. ``failure`` is the cause that the workload itself states as final.

    ``observed`` is false while its controller has not seen the latest change: its pods and its revision are then those
    of the state before, and may be broken because of it.
    """

    complete: bool
    text: str
    failure: str = ""
    cause: Cause | None = None
    observed: bool = True


UNSEEN = Progress(False, "its controller has not seen the change yet", observed=False)


def progress_of(workload: Mapping[str, Any]) -> Progress:
    """Judge a workload. A kind that is not waited for (objects/kinds.py) is complete."""
    kind = kind_of_body(workload)
    return JUDGES[kind.name](workload) if kind.is_awaited else Progress(True, "")


def _of_deployment(deployment: Mapping[str, Any]) -> Progress:
    """Judge: the new state seen, all pods new and available, no old one left."""
    if _is_unseen(deployment):
        return UNSEEN
    progressing = _conditions(deployment).get("Progressing", {})
    wanted = _wanted(deployment)
    total, updated, available = _counts(deployment, "replicas", "updatedReplicas", "availableReplicas")
    old = counted(max(0, total - updated), "old one")
    text = f"{updated} of {counted(wanted, 'replica')} updated, {available} available, {old} left"
    if value_at(deployment, ("spec", "paused")):
        return Progress(False, text, "Paused: spec.paused is set, so it never rolls out")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Progress(False, text, _reason(progressing))
    return _rolled_out(deployment, total == updated == wanted and available >= wanted, text)


def _of_replica_set(replica_set: Mapping[str, Any]) -> Progress:
    """Judge the number of pods: a changed template is only for those to come."""
    if _is_unseen(replica_set):
        return UNSEEN
    wanted = _wanted(replica_set)
    total, available = _counts(replica_set, "replicas", "availableReplicas")
    text = f"{total} of {counted(wanted, 'replica')} made, {available} available"
    return _rolled_out(replica_set, total == wanted and available >= wanted, text)


def _of_stateful_set(stateful_set: Mapping[str, Any]) -> Progress:
    """Judge the pods that its update strategy replaces by itself, and that all are available."""
    if _is_unseen(stateful_set):
        return UNSEEN
    wanted = _wanted(stateful_set)
    partition = value_at(stateful_set, ("spec", "updateStrategy", "rollingUpdate", "partition")) or 0
    to_update = 0 if is_rolled_by_hand(stateful_set) else max(0, wanted - partition)
    total, updated, available = _counts(stateful_set, "replicas", "updatedReplicas", "availableReplicas")
    text = f"{updated} of {counted(to_update, 'replica')} updated, {available} of {wanted} available"
    return _rolled_out(stateful_set, total == wanted and updated >= to_update and available >= wanted, text)


def _of_daemon_set(daemon_set: Mapping[str, Any]) -> Progress:
    """Judge the pods on all nodes that are to have one."""
    if _is_unseen(daemon_set):
        return UNSEEN
    wanted, updated, available = _counts(
        daemon_set, "desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"
    )
    to_update = 0 if is_rolled_by_hand(daemon_set) else wanted
    text = f"{updated} of {counted(to_update, 'pod')} updated, {available} of {wanted} available"
    return _rolled_out(daemon_set, updated >= to_update and available >= wanted, text)


def _of_job(job: Mapping[str, Any]) -> Progress:
    """Judge the end of a Job."""
    conditions = {name: entry for name, entry in _conditions(job).items() if entry.get("status") == "True"}
    succeeded, failed = _counts(job, "succeeded", "failed")
    text = f"{counted(succeeded, 'pod')} succeeded, {failed} failed"
    failure = conditions.get("Failed") or conditions.get("FailureTarget")
    if "Complete" not in conditions and failure:
        return Progress(False, text, _reason(failure))
    return Progress("Complete" in conditions, text)


def _of_pod(pod: Mapping[str, Any]) -> Progress:
    """Judge a pod that no controller makes: ready, or through with its work."""
    status = pod.get("status") or {}
    generation = pod["metadata"].get("generation") or 0
    if status.get("observedGeneration", generation) < generation:  # not every kubelet states it
        return UNSEEN
    phase = status.get("phase") or "Pending"
    if phase == "Failed":
        return Progress(False, phase, f"{status.get('reason') or phase}{colon(status.get('message') or '')}")
    return Progress(phase == "Succeeded" or is_ready(pod), phase)


JUDGES: dict[str, Callable[[Mapping[str, Any]], Progress]] = {
    "Deployment": _of_deployment,
    "ReplicaSet": _of_replica_set,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "Job": _of_job,
    "Pod": _of_pod,
}


def colon(text: str) -> str:
    """Return what follows a reason."""
    return f": {text}" if text else ""


def _rolled_out(workload: Mapping[str, Any], complete: bool, text: str) -> Progress:
    """Return the progress, with the refusal of its pods if it states one."""
    refusal = _conditions(workload).get("ReplicaFailure", {})
    if complete or refusal.get("status") != "True":
        return Progress(complete, text)
    cause = refused_pods(workload["metadata"]["uid"], refusal.get("message") or "", refusal.get("reason") or "")
    return Progress(False, text, cause=cause)


def _is_unseen(workload: Mapping[str, Any]) -> bool:
    (observed,) = _counts(workload, "observedGeneration")
    return observed < (workload["metadata"].get("generation") or 0)


def _wanted(workload: Mapping[str, Any]) -> int:
    replicas = value_at(workload, ("spec", "replicas"))
    return 1 if replicas is None else replicas


def _counts(workload: Mapping[str, Any], *names: str) -> tuple[int, ...]:
    return tuple(value_at(workload, ("status", name)) or 0 for name in names)


def _conditions(workload: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {entry["type"]: entry for entry in value_at(workload, ("status", "conditions")) or []}


def _reason(condition: Mapping[str, Any]) -> str:
    return f"{condition.get('reason') or condition['type']}{colon(condition.get('message') or '')}"
