# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod does not run: its own state, the events about it, and the last lines that it wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..api.connection import Connection
from ..objects.errors import ApiError, ApplyError
from ..text.counted import counted

EVENTS_SHOWN = 8
LOG_LINES_SHOWN = 20

# Seconds for which a state may last before it counts as the end of the wait.
# These cannot pass without a change to the object.
AT_ONCE = 0.0
# A Secret or ConfigMap may be arriving at the same moment; the kubelet looks again every few seconds.
CONFIGURATION_GRACE = 10.0
# Registries fail for moments, and a container may crash once while what it needs starts. The kubelet's first
# back-off is 10 s, so this leaves room for a second attempt.
RETRY_GRACE = 20.0
# A Secret, a volume or the network of a new node may still come.
CREATION_GRACE = 60.0
# A cluster autoscaler needs a minute or two for a node.
SCHEDULING_GRACE = 120.0
# Pods that a quota refuses may fit once the old ones are gone; the controller repeats with growing pauses.
REFUSED_PODS_GRACE = 10.0

WAITING_REASONS = {
    "ErrImageNeverPull": AT_ONCE,
    "InvalidImageName": AT_ONCE,
    "CreateContainerConfigError": CONFIGURATION_GRACE,
    "CreateContainerError": CONFIGURATION_GRACE,
    "RunContainerError": CONFIGURATION_GRACE,
    "ErrImagePull": RETRY_GRACE,
    "ImagePullBackOff": RETRY_GRACE,
    "CrashLoopBackOff": RETRY_GRACE,
    "ContainerCreating": CREATION_GRACE,
    "PodInitializing": CREATION_GRACE,
}
# Of these the state does not say whether anything is wrong: an image may be large. The events do.
CREATING = frozenset({"ContainerCreating", "PodInitializing"})
CREATION_FAILURES = frozenset({"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"})
# One cause under two names: the kubelet alternates between them.
SAME_CAUSE = {"ErrImagePull": "ImagePullBackOff"}


@dataclass(frozen=True)
class Cause:
    """A reason that can end a wait. ``key`` tells it apart over several looks; ``grace`` is in seconds."""

    key: tuple[str, str, str]
    reason: str
    message: str
    grace: float
    container: str = ""
    pod: Mapping[str, Any] | None = None


def causes_of_pod(pod: Mapping[str, Any], crashes_count: bool, creation_counts: bool = False) -> list[Cause]:
    """Return what keeps the containers of a pod from running.

    :param crashes_count: whether a crash loop is a cause. It is not for a Job, which counts its failures itself.
    :param creation_counts: whether a container that is being created is a cause, which :func:`proven` has to look at.
    """
    causes = []
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            key = (pod["metadata"]["uid"], "", "Unschedulable")
            causes.append(Cause(key, "Unschedulable", condition.get("message") or "", SCHEDULING_GRACE, pod=pod))
    for entry in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (entry.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason") or ""
        if reason not in WAITING_REASONS or (reason == "CrashLoopBackOff" and not crashes_count):
            continue
        if reason in CREATING and not creation_counts:
            continue
        key = (pod["metadata"]["uid"], entry["name"], SAME_CAUSE.get(reason, reason))
        message = waiting.get("message") or ""
        causes.append(Cause(key, reason, message, WAITING_REASONS[reason], entry["name"], pod))
    return causes


def refused_pods(key: str, message: str, reason: str = "FailedCreate") -> Cause:
    """Return the cause that the API server refuses the pods of a workload."""
    return Cause((key, "", "FailedCreate"), reason, message, REFUSED_PODS_GRACE)


def is_by_quota(message: str) -> bool:
    """Tell whether it is a quota that refuses a pod."""
    return "exceeded quota" in message


def proven(connection: Connection, cause: Cause) -> Cause | None:
    """Return the cause as the events tell it, where only they do; None where they tell of no failure.

    The last event counts: what is behind it was overcome, and since then an image is being pulled.
    """
    if cause.reason not in CREATING or cause.pod is None:
        return cause
    metadata = cause.pod["metadata"]
    try:
        *_earlier, last = read_events(connection, metadata["namespace"], metadata["uid"]) or [{}]
    except ApiError:
        return None  # the wait goes on without them
    if last.get("reason") not in CREATION_FAILURES:
        return None
    return replace(cause, reason=last["reason"], message=last.get("message") or "")


def describe_pod(connection: Connection, pod: Mapping[str, Any], cause: Cause | None = None) -> str:
    """Return the state of a pod, the events about it and the last lines of a container's log, for a message.

    What may not be read is said so: who may deploy need not be allowed to read logs.

    :param cause: what the message has said already; without it, every container that is not ready is meant.
    """
    metadata = pod["metadata"]
    containers = [cause.container] if cause and cause.container else _unready_containers(pod)
    crashed = cause is not None and cause.reason == "CrashLoopBackOff"
    lines = [f"pod {metadata['name']}: {_state_of(pod, known=cause.message if cause else '')}"]
    lines += events_about(connection, metadata["namespace"], metadata["uid"])
    for container in containers:
        if _has_started(pod, container):
            lines += _log_lines(connection, metadata["namespace"], metadata["name"], container, crashed)
    return "\n".join(lines)


def events_about(connection: Connection, namespace: str, uid: str) -> list[str]:
    """Return the newest events about the object with *uid*, oldest first, one line each."""
    try:
        events = read_events(connection, namespace, uid)
    except ApiError as error:
        return [f"events: not readable ({error})"]
    return [
        f"event {event.get('type')} {event.get('reason')} (x{event.get('count') or 1}): {event.get('message') or ''}"
        for event in events[-EVENTS_SHOWN:]
    ]


def read_events(connection: Connection, namespace: str, uid: str) -> list[Mapping[str, Any]]:
    """Return the events about the object with *uid*, oldest first.

    :raises ApiError: for example when reading events is forbidden.
    """
    return _events_where(connection, namespace, f"involvedObject.uid={uid}")


def node_of_deleted_pod(connection: Connection, namespace: str, events: Sequence[Mapping[str, Any]]) -> str:
    """Return the node that the pod of a Job was on, by the *events* about the Job and those about the pod.

    Empty if the events are gone, after an hour for example. The scheduler says: Successfully assigned NAMESPACE/POD to
    NODE.

    :raises ApiError: for example when reading events is forbidden.
    """
    created = [event.get("message") or "" for event in events if event.get("reason") == "SuccessfulCreate"]
    for pod in [message.rpartition(" ")[2] for message in created]:
        for event in _events_where(connection, namespace, f"involvedObject.kind=Pod,involvedObject.name={pod}"):
            if event.get("reason") == "Scheduled":
                return (event.get("message") or "").rpartition(" ")[2]
    return ""


def _events_where(connection: Connection, namespace: str, selector: str) -> list[Mapping[str, Any]]:
    query = {"fieldSelector": selector}
    events = connection.get(f"/api/v1/namespaces/{namespace}/events", query).body.get("items") or []
    return sorted(events, key=event_time)


def _log_lines(connection: Connection, namespace: str, pod: str, container: str, crashed: bool) -> list[str]:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    query: dict[str, Any] = {"container": container, "tailLines": LOG_LINES_SHOWN}
    # The runtime need not have kept the container that crashed; then the present one has to do.
    queries = [{**query, "previous": "true"}, query] if crashed else [query]
    fault = ""
    for attempt in queries:
        try:
            lines = connection.get_text(path, attempt).rstrip().splitlines()[-LOG_LINES_SHOWN:]
        except ApplyError as error:
            fault = fault or str(error)
        else:
            return [f"log of container {container}:", *(f"  {line}" for line in lines)] if lines else []
    return [f"log of container {container}: not readable ({fault})"]


def event_time(event: Mapping[str, Any]) -> str:
    """Return when an event was last seen, as the server writes times."""
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""


def _statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _unready_containers(pod: Mapping[str, Any]) -> list[str]:
    # An init container that ended well is "not ready" too.
    return [entry["name"] for entry in _statuses(pod) if not entry.get("ready") and not _ended_well(entry)]


def _ended_well(entry: Mapping[str, Any]) -> bool:
    terminated = (entry.get("state") or {}).get("terminated") or {}
    return bool(terminated) and terminated.get("exitCode") == 0


def _has_started(pod: Mapping[str, Any], container: str) -> bool:
    for entry in _statuses(pod):
        if entry["name"] == container:
            state = entry.get("state") or {}
            return "running" in state or "terminated" in state or bool(entry.get("lastState"))
    return False


def _state_of(pod: Mapping[str, Any], known: str) -> str:
    """Return the state of a pod in one line: its phase and what its containers, or the scheduler, say but *known*."""
    status = pod.get("status") or {}
    parts = [status.get("phase") or "Unknown"]
    parts += [
        f"{condition.get('reason')}: {condition.get('message')}"
        for condition in status.get("conditions") or []
        if condition.get("type") == "PodScheduled"
        and condition.get("status") == "False"
        and condition.get("message") != known
    ]
    for entry in _statuses(pod):
        for name, detail in (entry.get("state") or {}).items():
            if name == "running" and entry.get("ready"):
                continue
            text = f"container {entry['name']} {name}"
            if name == "running":
                text += ", not ready"
            if detail.get("reason"):
                text += f" ({detail['reason']})"
            if name == "terminated":
                text += f", exit code {detail.get('exitCode')}"
            if detail.get("message") and detail["message"] != known:
                text += f": {detail['message'].strip()}"
            parts.append(text)
        if entry.get("restartCount"):
            last = (entry.get("lastState") or {}).get("terminated") or {}
            reason = f"{last.get('reason') or 'unknown reason'}, exit code {last.get('exitCode')}"
            parts.append(f"{counted(entry['restartCount'], 'restart')}, the last after {reason}")
    return "; ".join(parts)
