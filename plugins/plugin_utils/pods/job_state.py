# SPDX-License-Identifier: GPL-3.0-or-later
"""How a spawned Job is doing, and the cause when it is not doing well, by the name that Kubernetes has for it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..objects.labels import labels_of
from .diagnosis import causes_of_pod, is_by_quota
from .exit_codes import meaning_of
from .pod import disruption_of, node_of
from .remedy import remedy_of
from .spawned_jobs import CONTAINER, channel_of_job, container_of_job, ended_at

WAITING = "waiting"
RUNNING = "running"
COMPLETE = "complete"
FAILED = "failed"


@dataclass(frozen=True)
class JobState:
    """`cause` is empty for a Job that does well. `age` and `duration` are seconds, the latter None before its end.

    `channel` is the one in Slack where it was asked for, `node` that of its pod. Both may be unknown. `remedy` says
    which variables to change, if any help.
    """

    name: str
    request: str
    state: str
    cause: str
    age: int
    duration: int | None
    channel: str = ""
    node: str = ""
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return asdict(self)


def state_of(
    job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]], now: datetime
) -> JobState:
    """Judge one Job.

    :param pods: those that it controls.
    :param events: about the Job, the oldest first. They are needed where it has no pod.
    """
    conditions = {
        entry["type"]: entry for entry in (job.get("status") or {}).get("conditions") or [] if entry["status"] == "True"
    }
    # FailureTarget comes first, and Failed when the last pod has ended (Kubernetes: Jobs, terminal conditions).
    failure = conditions.get("Failed") or conditions.get("FailureTarget")
    if "Complete" in conditions:
        state, cause = COMPLETE, ""
    elif failure:
        state, cause = FAILED, _failure(failure, pods)
    else:
        obstacle = _obstacle(pods, events)
        state = RUNNING if not obstacle and any(_phase(pod) == "Running" for pod in pods) else WAITING
        cause = obstacle or _disruption(pods)
    created = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    ended = ended_at(job)
    duration = int((ended - created).total_seconds()) if ended else None
    age = int((now - created).total_seconds())
    node = next((node_of(pod) for pod in pods if node_of(pod)), "")
    return JobState(
        job["metadata"]["name"],
        _request(job),
        state,
        cause,
        age,
        duration,
        channel=channel_of_job(job),
        node=node,
        remedy=_remedy(cause, job, pods),
    )


def _remedy(cause: str, job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> str:
    """Return which variables to change; a container that is not the agent's has none."""
    reason, _colon, message = cause.partition(": ")
    for pod in pods:
        for found in causes_of_pod(pod, crashes_count=True):
            if found.reason == reason:
                return remedy_of(pod, reason, message, found.container)
    return remedy_of(job, reason, message)


def _failure(condition: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> str:
    """Return why a Job failed: what its container died of says more than that it was not tried again."""
    if condition.get("reason") == "DeadlineExceeded":
        return _text("DeadlineExceeded", condition.get("message"))
    if _disruption(pods):
        return _disruption(pods)
    for pod in pods:
        if (pod.get("status") or {}).get("reason"):  # Evicted, for example
            return _text(pod["status"]["reason"], pod["status"].get("message"))
        entries = (pod.get("status") or {}).get("containerStatuses") or []
        # A sidecar often fails because the agent did.
        for entry in sorted(entries, key=lambda entry: entry["name"] != CONTAINER):
            ended = (entry.get("state") or {}).get("terminated")
            if ended and ended.get("reason") == "OOMKilled":
                return "OOMKilled: the container needed more memory than its limit"
            if ended and ended.get("exitCode"):
                meaning = meaning_of(ended["exitCode"])
                code = f"exit code {ended['exitCode']}" + (f" ({meaning})" if meaning else "")
                return _text(f"{ended.get('reason') or 'Error'}, {code}", ended.get("message"))
    message = condition.get("message")
    if not pods and condition.get("reason") == "BackoffLimitExceeded":
        # The pod of a Job that failed by itself stays as long as the Job. The screen has room for the cause alone
        message = "its pod was deleted, as the drain of a node does"
    return _text(condition.get("reason") or "Failed", message)


def _disruption(pods: Sequence[Mapping[str, Any]]) -> str:
    """Return what a node or the cluster does to a pod of the Job, empty if nothing."""
    return next((text for pod in pods for text in [disruption_of(pod)] if text), "")


def _obstacle(pods: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> str:
    """Return what keeps a Job that has not ended from running."""
    for pod in pods:
        for cause in causes_of_pod(pod, crashes_count=True):
            return _text(cause.reason, cause.message)
        for condition in (pod.get("status") or {}).get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return _text(condition.get("reason") or "Unschedulable", condition.get("message"))
    refusals = [event for event in events if event.get("reason") == "FailedCreate"]
    if pods or not refusals:
        return ""
    message = refusals[-1].get("message") or ""
    return _text(refusal_of(message), message)


def refusal_of(message: str) -> str:
    """Return what refuses a pod, by the message of the event FailedCreate."""
    if is_by_quota(message):
        return "quota"
    if "PodSecurity" in message:
        return "Pod Security"
    return "admission" if "denied" in message else "FailedCreate"


def _request(job: Mapping[str, Any]) -> str:
    """Return what was asked for, the last argument of the container: `fix #54 in web`."""
    arguments = container_of_job(job).get("args") or []
    return arguments[-1] if arguments else str(labels_of(job).get("project") or "")


def _phase(pod: Mapping[str, Any]) -> str:
    return (pod.get("status") or {}).get("phase") or ""


def _text(reason: str, message: str | None) -> str:
    return f"{reason}: {message.strip()}" if message and message.strip() else reason
