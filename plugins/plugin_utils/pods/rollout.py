# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until Deployments are rolled out and Jobs complete, all at once, and no longer than it makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.wait_report import Say, WaitReport
from ..objects.errors import ApiError, ApplyError
from ..objects.planned_object import PlannedObject, is_going
from .diagnosis import Cause, causes_of_pod, describe_pod, events_about, proven, read_events
from .pod import controlled_by, is_ready

# Polled rather than watched: a look is three cheap reads, and a poll survives what cuts a watch.
POLL_PAUSE = 0.5  # seconds
# Pods that a quota refuses may fit once the old ones are gone; the controller repeats with growing pauses.
REFUSED_PODS_GRACE = 10.0  # seconds
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"


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


def progress_of(workload: Mapping[str, Any]) -> Progress:
    """Judge a Deployment or a Job from its status alone; any other kind has nothing to wait for."""
    if workload["kind"] == "Deployment":
        return _deployment_progress(workload)
    if workload["kind"] == "Job":
        return _job_progress(workload)
    return Progress(True, "")


def wait_for_rollout(
    connection: Connection,
    executor: Executor,
    planned: Sequence[PlannedObject],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    say: Say | None = None,
) -> None:
    """Wait for the workloads among the planned objects. One that was complete in the plan costs no request.

    :param timeout: seconds for all of them together.
    :raises ApplyError: at the first cause that no waiting cures, or at the timeout, with the cause, the events about
        the pod and the end of its log.
    """
    deadline = clock() + timeout
    report = WaitReport(say, clock)
    waits = [
        _Wait(connection, item, clock) for item in planned if item.current and not progress_of(item.current).complete
    ]
    while waits:
        concurrently(executor, _Wait.look, waits)
        waits = [wait for wait in waits if not wait.progress.complete]
        failed = [wait for wait in waits if wait.cause]
        if failed:
            raise ApplyError("\n\n".join(concurrently(executor, _Wait.failure_text, failed)))
        if waits and clock() >= deadline:
            texts = [f"wait_timeout ({timeout:g} s) is over; in the inventory it is agentsmith_wait_timeout."]
            raise ApplyError("\n\n".join(texts + concurrently(executor, _Wait.timeout_text, waits)))
        if waits:
            report.tell("Waiting for " + "; ".join(wait.text for wait in waits))
            sleep(POLL_PAUSE)


class _Wait:
    """The wait for one workload."""

    def __init__(self, connection: Connection, item: PlannedObject, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._item = item
        self._clock = clock
        self._first_seen: dict[tuple[str, str, str], float] = {}
        self._pods: list[Mapping[str, Any]] = []
        self._unreadable = ""
        self._workload: Mapping[str, Any] = item.current or {}
        self.progress = progress_of(self._workload)
        self.cause: Cause | None = None

    def look(self) -> None:
        """Read the state once, and set ``progress`` and ``cause``."""
        found = self._connection.find(self._item.path)
        if found is None:
            self.cause = Cause((self._item.path, "", "Deleted"), "Deleted", "somebody deleted it in the meantime", 0.0)
            return
        self._workload = found
        self.progress = progress_of(found)
        if self.progress.complete or not self.progress.observed:
            return
        if self.progress.failure:
            self.cause = Cause((self._item.path, "", "Failed"), self.progress.failure, "", 0.0)
        self._pods = self._read_pods()
        self._judge(self._causes())

    @property
    def text(self) -> str:
        """What is waited for, in a line."""
        return f"{self._item.identity}: {self.progress.text}"

    def failure_text(self) -> str:
        """Return the message about the cause that ended the wait."""
        cause = self.cause
        if cause is None:
            return ""
        lines = [f"{self._item.identity} will not become ready: {cause.reason}" + _colon(cause.message)]
        pod = cause.pod or self._worst_pod()
        if pod is not None:
            lines.append(describe_pod(self._connection, pod, cause))
        else:
            lines += self._workload_events()
        return "\n".join([*lines, *self._note()])

    def timeout_text(self) -> str:
        """Return the message about a workload that is not ready in time."""
        lines = [f"{self._item.identity} is not ready: {self.progress.text}"]
        pod = self._worst_pod()
        lines += [describe_pod(self._connection, pod)] if pod is not None else self._workload_events()
        return "\n".join([*lines, *self._note()])

    def _causes(self) -> list[Cause]:
        causes = [self.progress.cause] if self.progress.cause else []
        for pod in self._pods:
            causes += causes_of_pod(pod, self._workload["kind"] == "Deployment", creation_counts=True)
        if self._workload["kind"] == "Job" and not self._pods:
            causes += self._refused_job_pods()
        return causes

    def _refused_job_pods(self) -> list[Cause]:
        """Return the refusal of a Job's pods, which a Job, unlike a Deployment, states only in its events."""
        try:
            events = read_events(self._connection, self._item.identity.namespace, self._workload["metadata"]["uid"])
        except ApiError:
            return []  # the wait goes on without them
        refusals = [event for event in events if event.get("reason") == "FailedCreate"]
        if not refusals:
            return []
        key = (self._item.path, "", "FailedCreate")
        return [Cause(key, "FailedCreate", refusals[-1].get("message") or "", REFUSED_PODS_GRACE)]

    def _judge(self, causes: Sequence[Cause]) -> None:
        """Set ``cause`` to the first one that has outlasted its grace.

        A cause that went away starts anew, but not while its pod has not become ready: between two crashes a
        container runs for a moment.
        """
        now = self._clock()
        unready = {pod["metadata"]["uid"] for pod in self._pods if not is_ready(pod)}
        kept = {key: seen for key, seen in self._first_seen.items() if key[0] in unready}
        self._first_seen = {**kept, **{cause.key: self._first_seen.get(cause.key, now) for cause in causes}}
        for cause in causes:
            if self.cause is None and now - self._first_seen[cause.key] >= cause.grace:
                self.cause = proven(self._connection, cause)

    def _read_pods(self) -> list[Mapping[str, Any]]:
        """Return the pods of the workload, of a Deployment those of the newest revision."""
        labels = ((self._workload["spec"].get("selector") or {}).get("matchLabels")) or {}
        selector = {"labelSelector": ",".join(f"{name}={value}" for name, value in sorted(labels.items()))}
        namespace = self._item.identity.namespace
        try:
            owner = self._workload["metadata"]["uid"]
            if self._workload["kind"] == "Deployment":
                path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
                owner = _newest(self._workload, self._connection.get(path, selector).body.get("items") or [])
            pods = self._connection.get(f"/api/v1/namespaces/{namespace}/pods", selector).body.get("items") or []
        except ApiError as error:
            if error.status != 403:
                raise
            # Waiting needs the workload alone; the pods only say earlier, and better, why it fails.
            self._unreadable = f"The pods cannot be read: {error}"
            return []
        return controlled_by(pods, owner)

    def _worst_pod(self) -> Mapping[str, Any] | None:
        """Return a pod that is not ready, the newest one; None when there is none."""
        unready = [pod for pod in self._pods if not is_ready(pod) and not is_going(pod)]
        return max(unready, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)

    def _workload_events(self) -> list[str]:
        return events_about(self._connection, self._item.identity.namespace, self._workload["metadata"]["uid"])

    def _note(self) -> list[str]:
        return [self._unreadable] if self._unreadable else []


def _deployment_progress(deployment: Mapping[str, Any]) -> Progress:
    """Judge as `kubectl rollout status` does: the new state seen, all pods new and available, no old one left."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    wanted = spec.get("replicas", 1)
    total, updated, available = (status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas"))
    text = f"{updated} of {wanted} replicas updated, {available} available, {max(0, total - updated)} old ones left"
    if (status.get("observedGeneration") or 0) < (deployment["metadata"].get("generation") or 0):
        return Progress(False, "the deployment controller has not seen the change yet", observed=False)
    if spec.get("paused"):
        return Progress(False, text, "Paused: spec.paused is set, so it never rolls out")
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        message = conditions["Progressing"].get("message") or ""
        return Progress(False, text, f"ProgressDeadlineExceeded{_colon(message)}")
    if total == updated == wanted and available >= wanted:
        return Progress(True, text)
    refusal = conditions.get("ReplicaFailure", {})
    if refusal.get("status") == "True":
        key = (deployment["metadata"]["uid"], "", "FailedCreate")
        message = refusal.get("message") or ""
        return Progress(False, text, cause=Cause(key, refusal.get("reason") or "", message, REFUSED_PODS_GRACE))
    return Progress(False, text)


def _job_progress(job: Mapping[str, Any]) -> Progress:
    status = job.get("status") or {}
    conditions = {
        condition["type"]: condition
        for condition in status.get("conditions") or []
        if condition.get("status") == "True"
    }
    text = f"{status.get('succeeded') or 0} pods succeeded, {status.get('failed') or 0} failed"
    if "Complete" in conditions:
        return Progress(True, text)
    for name in ("Failed", "FailureTarget"):
        if name in conditions:
            reason, message = conditions[name].get("reason") or name, conditions[name].get("message") or ""
            return Progress(False, text, f"{reason}{_colon(message)}")
    return Progress(False, text)


def _newest(deployment: Mapping[str, Any], replica_sets: Sequence[Mapping[str, Any]]) -> str:
    """Return the uid of the Deployment's newest ReplicaSet, empty while there is none."""
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION)
    for replica_set in controlled_by(replica_sets, deployment["metadata"]["uid"]):
        if (replica_set["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION) == revision:
            return str(replica_set["metadata"]["uid"])
    return ""


def _colon(text: str) -> str:
    return f": {text}" if text else ""
