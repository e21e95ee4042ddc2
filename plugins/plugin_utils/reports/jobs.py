# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs of the Dispatcher, those that are gone included as far as events tell of them, and why one failed.

A Job exists for its time to live after its end, 300 s in the app; its log goes with it. Events stay for about an hour.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..apply.live_lists import list_items
from ..objects.errors import ApplyError
from ..pods.diagnosis import event_time
from ..pods.job_state import COMPLETE, FAILED, JobState, refusal_of, state_of
from ..pods.pod import controlled_by
from ..pods.remedy import remedies_by_name, remedy_of_event
from ..pods.spawned_jobs import CONTAINER, ended_at
from ..release.conversations import read_conversations
from ..text.one_line import one_line
from ..text.text_table import aligned
from ..verification.target import Target
from .pod_logs import read_log

GONE = "gone"  # no longer there, and no event says how it ended
LAST_LINES = 20  # of the log of a Job that failed
LAST_BYTES = 16 * 1024
JOBS_WITH_LINES = 20  # the newest that failed
CAUSE_WIDTH = 160  # characters on the screen; the result has all of it

FROM_JOB, FROM_EVENTS = "job", "events"
# The app's names (its contract, "The Job it spawns"), and those of the pods that Kubernetes makes for them
_NAME = re.compile(r"agentsmith-[0-9a-f]{12}")
_OF_A_POD = re.compile(r"-[a-z0-9]{5}\Z")
_REQUEST = re.compile(r"fix #(\S+) in (.+)")
# What the Job controller says at the end of a Job
_ENDS = {"Completed": COMPLETE, "BackoffLimitExceeded": FAILED, "DeadlineExceeded": FAILED, "PodFailurePolicy": FAILED}
# What tells most of why a pod did not do its work, the clearest first
_TELLING = (
    *("Evicted", "OOMKilling", "Preempted", "TaintManagerEviction", "NodeNotReady"),
    *("Failed", "FailedMount", "FailedCreatePodSandBox", "FailedScheduling", "BackOff"),
)
_POD_IS_GONE = "its pod is gone, and its log with it. The cause is what events tell"
_FROM_EVENTS_MEANS = (
    "(events): the Job is gone, with its log and its exit code. What is shown comes from the events about it, which "
    "last for about an hour."
)


@dataclass(frozen=True)
class JobReport:
    """One Job. ``source`` says whether the Job still exists or only events tell of it.

    Texts are empty if they are not known. ``duration`` and ``removed_in`` are seconds, None if there is no such time.
    ``lines`` are the last ones of a Job that failed; ``lines_fault`` says why there are none. ``remedy`` says which
    variables to change, if any help.
    """

    name: str
    source: str
    state: str
    ticket: str
    project: str
    channel: str
    node: str
    created: str
    duration: int | None
    removed_in: int | None
    cause: str
    lines: list[str]
    lines_fault: str
    remedy: str


@dataclass(frozen=True)
class JobsReport:
    """All Jobs, the newest first. ``not_read``: what could not be asked for, and why."""

    namespace: str
    server: str
    jobs: list[JobReport]
    not_read: list[str]

    def as_text(self) -> str:
        """Return a table, and the last lines of the Jobs that failed."""
        rows = [["JOB", "STATE", "TICKET", "PROJECT", "CHANNEL", "CREATED", "TOOK", "CAUSE"]]
        for job in self.jobs:
            state = f"{job.state} (events)" if job.source == FROM_EVENTS else job.state
            took = "" if job.duration is None else f"{job.duration} s"
            cause = one_line(job.cause, CAUSE_WIDTH)
            rows.append([job.name, state, job.ticket, job.project, job.channel, job.created, took, cause])
        none = ["No Jobs. Those that ended are removed after their time to live, and events about them after an hour."]
        lines = [f"Namespace {self.namespace} on {self.server}", "", *(aligned(rows) if self.jobs else none)]
        if any(job.source == FROM_EVENTS for job in self.jobs):
            lines += ["", _FROM_EVENTS_MEANS]
        if remedies := remedies_by_name((job.name, job.remedy) for job in self.jobs):
            lines += ["", *remedies]
        for job in self.jobs:
            if job.lines:
                lines += ["", f"The last lines of {job.name}:", *(f"  {line}" for line in job.lines)]
            elif job.lines_fault:
                lines += ["", f"The log of {job.name} cannot be shown: {job.lines_fault}"]
        return "\n".join([*lines, *([""] if self.not_read else []), *(f"Not read: {what}" for what in self.not_read)])


def read_jobs_report(target: Target) -> JobsReport:
    """Read the Jobs, their pods and logs, and the events. Texts are yet to be masked.

    :raises ApplyError: when the API server does not answer, or Jobs or pods may not be read.
    """
    now = datetime.now(UTC)
    not_read: list[str] = []
    jobs, pods = target.read_jobs(), target.read_job_pods()
    try:
        events = list_items(target.connection, f"/api/v1/namespaces/{target.names.namespace}/events", {})
    except ApplyError as error:
        events = []
        not_read.append(f"events, so Jobs that are gone are not listed ({error})")
    existing = {job["metadata"]["name"] for job in jobs}
    by_job = _by_job(events, existing)
    found = [_existing(job, controlled_by(pods, job["metadata"]["uid"]), by_job, now) for job in jobs]
    gone = [_from_events(name, told) for name, told in by_job.items() if name not in existing]
    if gone:
        gone = _with_requests(target, gone, now, not_read)
    ordered = sorted([*found, *gone], key=lambda job: job.created, reverse=True)
    return JobsReport(target.names.namespace, target.connection.host, _with_lines(target, ordered, pods), not_read)


def _by_job(events: Iterable[Mapping[str, Any]], existing: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the events about the app's Jobs and their pods, by the name of the Job, the oldest first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for event in sorted(events, key=event_time):
        about = event.get("involvedObject") or {}
        name = about.get("name") or ""
        if about.get("kind") == "Pod":
            name = _OF_A_POD.sub("", name)
        if about.get("kind") in ("Job", "Pod") and (name in existing or _NAME.fullmatch(name)):
            found.setdefault(name, []).append(event)
    return found


def _existing(
    job: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    by_job: Mapping[str, Sequence[Mapping[str, Any]]],
    now: datetime,
) -> JobReport:
    name = job["metadata"]["name"]
    told = by_job.get(name, [])
    state: JobState = state_of(job, pods, [event for event in told if event["involvedObject"]["kind"] == "Job"], now)
    ticket, project = _request_of(state.request)
    cause, remedy, lines_fault = state.cause, state.remedy, ""
    if state.state == FAILED and not pods:
        lines_fault = _POD_IS_GONE
        if event := _telling(told):
            cause = _text(event["reason"], event)
            remedy = remedy_of_event(event["reason"], event.get("message") or "")
    ended, ttl = ended_at(job), job["spec"].get("ttlSecondsAfterFinished")
    return JobReport(
        name,
        FROM_JOB,
        state.state,
        ticket,
        project,
        state.channel,
        state.node or _node(told),
        job["metadata"]["creationTimestamp"],
        state.duration,
        max(0, ttl - int((now - ended).total_seconds())) if ended and ttl is not None else None,
        cause,
        [],
        lines_fault,
        remedy,
    )


def _from_events(name: str, told: Sequence[Mapping[str, Any]]) -> JobReport:
    """Judge a Job that is gone. Its request and its log went with it."""
    ends = [event for event in told if event.get("reason") in _ENDS and event["involvedObject"]["kind"] == "Job"]
    state = _ENDS[ends[-1]["reason"]] if ends else GONE
    begun = next((_first(event) for event in told if event.get("reason") == "SuccessfulCreate"), "")
    duration = None
    if ends and begun:
        duration = int((datetime.fromisoformat(event_time(ends[-1])) - datetime.fromisoformat(begun)).total_seconds())
    cause, remedy = ("", "") if state == COMPLETE else _cause(told, ends)
    created = begun or _first(told[0])
    return JobReport(name, FROM_EVENTS, state, "", "", "", _node(told), created, duration, None, cause, [], "", remedy)


def _cause(told: Sequence[Mapping[str, Any]], ends: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return why a Job did not do its work, and which variables to change."""
    if ends and ends[-1]["reason"] == "DeadlineExceeded":
        return _text(ends[-1]["reason"], ends[-1]), remedy_of_event(ends[-1]["reason"], "")
    refusals = [event for event in told if event.get("reason") == "FailedCreate"]
    if refusals and not any(event.get("reason") == "SuccessfulCreate" for event in told):
        message = refusals[-1].get("message") or ""
        return _text(refusal_of(message), refusals[-1]), remedy_of_event(refusal_of(message), message)
    if event := _telling(told):
        return _text(event["reason"], event), remedy_of_event(event["reason"], event.get("message") or "")
    if not ends:
        return "somebody deleted it, or the events about its end are gone", ""
    return f"{_text(ends[-1]['reason'], ends[-1])}; the exit code went with its pod", ""


def _telling(told: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the event about the pod that says most of why it did not do its work; None if none does."""
    of_pod = {event.get("reason"): event for event in told if event["involvedObject"]["kind"] == "Pod"}
    return next((of_pod[reason] for reason in _TELLING if reason in of_pod), None)


def _text(reason: str, event: Mapping[str, Any]) -> str:
    message = (event.get("message") or "").strip()
    return f"{reason}: {message}" if message else reason


def _first(event: Mapping[str, Any]) -> str:
    return event.get("firstTimestamp") or event_time(event)


def _node(told: Sequence[Mapping[str, Any]]) -> str:
    """Return the node; the scheduler says: Successfully assigned NAMESPACE/POD to NODE."""
    scheduled = [event.get("message") or "" for event in told if event.get("reason") == "Scheduled"]
    return scheduled[-1].rpartition(" ")[2] if scheduled else ""


def _request_of(request: str) -> tuple[str, str]:
    match = _REQUEST.fullmatch(request)
    return (match[1], match[2]) if match else ("", request)


def _with_requests(target: Target, gone: list[JobReport], now: datetime, not_read: list[str]) -> list[JobReport]:
    """Add what Redis still knows of Jobs that are gone: their channels may be stuck."""
    try:
        conversations = {entry.job: entry for entry in read_conversations(target, now).found}
    except ApplyError as error:
        not_read.append(f"the channels in Redis, so the tickets of Jobs that are gone are not known ({error})")
        return gone
    known = []
    for job in gone:
        entry = conversations.get(job.name)
        ticket, project = _request_of(entry.request) if entry else ("", "")
        known.append(replace(job, ticket=ticket, project=project, channel=entry.channel if entry else ""))
    return known


def _with_lines(target: Target, jobs: Sequence[JobReport], pods: Sequence[Mapping[str, Any]]) -> list[JobReport]:
    """Add the last lines of the Jobs that failed and still have a pod."""
    shown = []
    read = 0
    for job in jobs:
        pod = next((pod for pod in pods if _job_of(pod) == job.name and _has_log(pod)), None)
        if job.state == FAILED and pod and read < JOBS_WITH_LINES:
            read += 1
            shown.append(_read_lines(target, job, pod["metadata"]["name"]))
        else:
            shown.append(job)
    return shown


def _read_lines(target: Target, job: JobReport, pod: str) -> JobReport:
    try:
        log = read_log(target.connection, target.names.namespace, pod, CONTAINER, LAST_LINES, LAST_BYTES)
    except ApplyError as error:
        return replace(job, lines_fault=str(error))
    return replace(job, lines=log.text.splitlines())


def _job_of(pod: Mapping[str, Any]) -> str:
    return next((owner["name"] for owner in pod["metadata"].get("ownerReferences") or [] if owner["kind"] == "Job"), "")


def _has_log(pod: Mapping[str, Any]) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    states = [entry.get("state") or {} for entry in statuses if entry["name"] == CONTAINER]
    return any("terminated" in state or "running" in state for state in states)
