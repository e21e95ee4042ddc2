# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the workloads of a release as their kinds ask (progress), all at once, no longer than it makes sense."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any, Protocol

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..api.wait_report import Say, WaitReport
from ..api.watch import Watched, Watches
from ..objects.errors import ApiError, ApplyError
from ..objects.kinds import is_rolled_by_hand
from ..objects.labels import annotations_of, labels_of
from ..objects.planned_object import PlannedObject, is_going
from .diagnosis import (
    CREATING,
    Cause,
    causes_of_pod,
    describe_pod,
    events_about,
    is_by_quota,
    proven,
    read_events,
    refused_pods,
)
from .pod import controlled_by, is_ready, newest_unready
from .progress import UNSEEN, Progress, colon, progress_of
from .remedy import remedy_of_cause
from .spawned_jobs import is_running, read_spawned_jobs

POLL_PAUSE = 0.5  # seconds between two looks, if nothing is told to have changed
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
# Of the pods of a StatefulSet, and of a DaemonSet
REVISION_LABEL, GENERATION_LABEL = "controller-revision-hash", "pod-template-generation"
GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"
# A Deployment and a ReplicaSet state it in their status.
REFUSED_IN_EVENTS = ("StatefulSet", "DaemonSet", "Job")
# Seconds: a pod that is older than this when a wait begins has failed before, and waits for its next attempt.
OLD_POD = 20.0
# Seconds: the kubelet tries a volume again after 2 min 2 s at the latest.
LONGEST_VOLUME_PAUSE = 150.0
# Seconds for a controller to make the pods for which a Job has made room, beside the time for which it was refused.
CONTROLLER_PAUSE = 30.0


class Wait(Protocol):
    """Something that the loop below waits for, beside workloads."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to wait for."""

    @property
    def has_failed(self) -> bool:
        """Whether waiting is of no use."""

    @property
    def has_news(self) -> bool:
        """Whether to look at once."""

    @property
    def text(self) -> str:
        """What is waited for, in a line."""

    def look(self) -> None:
        """Read the state once, and set ``is_over`` and ``has_failed``."""

    def failure_text(self) -> str:
        """Return the message about a failure that ended the wait."""

    def timeout_text(self) -> str:
        """Return the message about what is not there in time; empty where that is no failure."""


def wait_for_rollout(
    connection: Connection,
    executor: Executor,
    planned: Sequence[PlannedObject],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], bool | None] | None = None,
    say: Say | None = None,
    others: Sequence[Wait] = (),
) -> None:
    """Wait for the workloads among the planned objects. One that was complete in the plan costs no request.

    :param timeout: seconds for all of them together.
    :param others: what else to wait for.
    :raises ApplyError: at the first cause that no waiting cures, or at the timeout, with the cause, the events about
        the pod and the end of its log.
    """
    deadline = clock() + timeout
    report = WaitReport(say, clock)
    with Watches(connection, clock) as watches:
        waits: list[Wait] = [
            _Wait(connection, watches, item, clock)
            for item in planned
            if item.current and not _progress_of(item, item.current).complete
        ]
        waits += others
        pause = sleep or watches.wait
        due, next_poll = waits, clock() + POLL_PAUSE
        while waits:
            concurrently(executor, lambda wait: wait.look(), due)
            waits = [wait for wait in waits if not wait.is_over]
            failed = [wait for wait in waits if wait.has_failed]
            if failed:
                raise ApplyError("\n\n".join(concurrently(executor, lambda wait: wait.failure_text(), failed)))
            if waits and clock() >= deadline:
                late = list(filter(None, concurrently(executor, lambda wait: wait.timeout_text(), waits)))
                if not late:
                    return
                text = f"wait_timeout ({timeout:g} s) is over; in the inventory it is agentsmith_wait_timeout."
                raise ApplyError("\n\n".join([text, *late]))
            if waits:
                report.tell("Waiting for " + "; ".join(wait.text for wait in waits))
                is_told = pause(max(0.0, next_poll - clock()))
                if is_told and clock() < next_poll:
                    due = [wait for wait in waits if wait.has_news]
                else:
                    due, next_poll = waits, clock() + POLL_PAUSE


class _Wait:
    """The wait for one workload."""

    def __init__(
        self, connection: Connection, watches: Watches, item: PlannedObject, clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._watches = watches
        self._watched = watches.of_object(item.path)
        self._watched_pods: Watched | None = None
        self._newest = ("", "")  # revision of a Deployment, and the uid of its ReplicaSet
        self._item = item
        self._clock = clock
        self._first_seen: dict[tuple[str, str, str], float] = {}
        self._pods: list[Mapping[str, Any]] = []
        self._remark = ""
        self._jobs_seen: float | None = None  # when Jobs ran that a quota counts
        self._workload: Mapping[str, Any] = item.current or {}
        self._kind = item.identity.kind
        self._waited_out: dict[tuple[str, str, str], Cause] | None = None  # causes of old pods at the first look
        self.progress = _progress_of(item, self._workload)
        self.cause: Cause | None = None

    def look(self) -> None:
        """Read the state once, and set ``progress`` and ``cause``."""
        found = self._watched.find()
        if found is None:
            self.cause = Cause((self._item.path, "", "Deleted"), "Deleted", "somebody deleted it in the meantime", 0.0)
            return
        self._workload = found
        self.progress = _progress_of(self._item, found)
        if self.progress.complete:
            self._close()
        if self.progress.complete or not self.progress.observed:
            return
        if self.progress.failure:
            self.cause = Cause((self._item.path, "", "Failed"), self.progress.failure, "", 0.0)
        self._pods = self._read_pods()
        self._judge(self._causes())

    @property
    def has_news(self) -> bool:
        """Tell whether the workload or a pod has changed since the last look."""
        return self._watched.has_news or bool(self._watched_pods and self._watched_pods.has_news)

    @property
    def is_over(self) -> bool:
        """Tell whether the workload is complete."""
        return self.progress.complete

    @property
    def has_failed(self) -> bool:
        """Tell whether waiting is of no use."""
        return self.cause is not None

    @property
    def text(self) -> str:
        """What is waited for, in a line."""
        return f"{self._item.identity}: {self.progress.text}"

    def failure_text(self) -> str:
        """Return the message about the cause that ended the wait."""
        cause = self.cause
        if cause is None:
            return ""
        first = f"{self._item.identity} will not become ready: {cause.reason}" + colon(cause.message)
        pod = cause.pod or newest_unready(self._pods)
        more = [describe_pod(self._connection, pod, cause)] if pod is not None else self._workload_events()
        return "\n".join([first, *self._remedy(cause, more), *more, *self._note()])

    def timeout_text(self) -> str:
        """Return the message about a workload that is not ready in time."""
        lines = [f"{self._item.identity} is not ready: {self.progress.text}"]
        if self.progress.cause:
            lines.append(f"{self.progress.cause.reason}: {self.progress.cause.message}")
        pod = newest_unready(self._pods)
        more = [describe_pod(self._connection, pod)] if pod is not None else self._workload_events()
        causes = [self.progress.cause] if self.progress.cause else causes_of_pod(pod, crashes_count=True) if pod else []
        lines += self._remedy(causes[0] if causes else None, more)
        return "\n".join([*lines, *more, *self._note()])

    def _remedy(self, cause: Cause | None, told: Sequence[str]) -> list[str]:
        text = remedy_of_cause(cause, self._workload, "\n".join(told))
        return [f"What to do: {text}"] if text else []

    def _causes(self) -> list[Cause]:
        causes = [self.progress.cause] if self.progress.cause else []
        for pod in self._pods:
            causes += causes_of_pod(pod, self._kind != "Job", creation_counts=True)
        # A pod that is there tells more. Of a Job with pods, the refused ones have room when others have ended.
        lacks_pods = not self._pods or (self._kind != "Job" and all(map(is_ready, self._pods)))
        if self._kind in REFUSED_IN_EVENTS and lacks_pods:
            causes += self._refused_pods()
        return causes

    def _refused_pods(self) -> list[Cause]:
        """Return the refusal of pods that the workload states only in its events. The last one counts."""
        try:
            events = read_events(self._connection, self._item.identity.namespace, self._workload["metadata"]["uid"])
        except ApiError:
            return []  # the wait goes on without them
        last = events[-1] if events else {}
        return (
            [refused_pods(self._item.path, last.get("message") or "")] if last.get("reason") == "FailedCreate" else []
        )

    def _judge(self, causes: Sequence[Cause]) -> None:
        """Set ``cause`` to the first one that has outlasted its grace.

        A cause that went away starts anew, but not while its pod has not become ready: between two crashes a
        container runs for a moment.
        """
        if self._waited_out is None:
            self._waited_out = {cause.key: cause for cause in causes if _is_of_old_pod(cause)}
        now = self._clock()
        causes = [cause for cause in causes if not self._is_waited_out(cause)]
        unready = {pod["metadata"]["uid"] for pod in self._pods if not is_ready(pod)}
        kept = {key: seen for key, seen in self._first_seen.items() if key[0] in unready}
        self._first_seen = {**kept, **{cause.key: self._first_seen.get(cause.key, now) for cause in causes}}
        for cause in causes:
            is_old = cause.reason in CREATING and cause.key in self._waited_out
            grace = max(cause.grace, LONGEST_VOLUME_PAUSE) if is_old else cause.grace
            over = now - self._first_seen[cause.key] >= grace
            if self.cause is None and not self._may_find_room(cause) and over:
                self.cause = proven(self._connection, cause)

    def _may_find_room(self, cause: Cause) -> bool:
        """Tell whether a quota refuses pods that fit when a Job ends: Jobs may use the room for a rollout."""
        if not is_by_quota(cause.message):
            return False
        try:
            jobs = read_spawned_jobs(self._connection, self._item.identity.namespace)
        except ApiError:
            return False
        running = [job["metadata"]["name"] for job in jobs if is_running(job)]
        self._remark = f"Jobs that use the quota: {', '.join(running)}" if running else ""
        if running:
            self._jobs_seen = self._clock()
        if self._jobs_seen is None:
            return False
        # The controller tries again after pauses of which each is about as long as all before it together.
        pause = self._jobs_seen - self._first_seen[cause.key] + CONTROLLER_PAUSE
        return self._clock() - self._jobs_seen < pause

    def _is_waited_out(self, cause: Cause) -> bool:
        """Tell whether an old pod still waits out the back-off of a failure before this wait.

        What made it fail may be mended since: the next attempt tells, which the kubelet makes within five minutes.
        """
        before = (self._waited_out or {}).get(cause.key)
        if before is None or not before.reason.endswith("BackOff"):
            return False
        if cause.reason == before.reason and _restarts(cause) == _restarts(before):
            return True
        (self._waited_out or {}).pop(cause.key)
        return False

    def _read_pods(self) -> list[Mapping[str, Any]]:
        """Return the pods of the workload; if it rolls, those of the newest revision."""
        if self._kind == "Pod":
            return [self._workload]
        labels = ((self._workload["spec"].get("selector") or {}).get("matchLabels")) or {}
        selector = {"labelSelector": ",".join(f"{name}={value}" for name, value in sorted(labels.items()))}
        namespace = self._item.identity.namespace
        try:
            owner = self._workload["metadata"]["uid"]
            if self._kind == "Deployment":
                owner = self._newest_replica_set(f"/apis/apps/v1/namespaces/{namespace}/replicasets", selector)
            self._watched_pods = self._watched_pods or self._watches.of_list(
                f"/api/v1/namespaces/{namespace}/pods", selector
            )
            pods = self._watched_pods.items()
        except ApiError as error:
            if error.status != 403:
                raise
            # Waiting needs the workload alone; the pods only say earlier, and better, why it fails.
            self._remark = f"The pods cannot be read: {error}"
            return []
        pods = controlled_by(pods, owner)
        newest = [pod for pod in pods if _is_newest(self._workload, pod)]
        if self._kind == "StatefulSet":
            self._remove_stuck([pod for pod in pods if pod not in newest])
        return newest

    def _newest_replica_set(self, path: str, selector: Mapping[str, str]) -> str:
        """Return the uid of a Deployment's newest ReplicaSet, empty while there is none. It is asked for once."""
        revision = annotations_of(self._workload).get(REVISION_ANNOTATION, "")
        if not self._newest[1] or self._newest[0] != revision:
            found = self._connection.get(path, selector).body.get("items") or []
            self._newest = revision, _newest(self._workload, found)
        return self._newest[1]

    def _close(self) -> None:
        self._watched.close()
        if self._watched_pods:
            self._watched_pods.close()

    def _remove_stuck(self, old_pods: Sequence[Mapping[str, Any]]) -> None:
        """Delete broken pods of an older revision: a StatefulSet waits for them, and so never comes back by itself.

        https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
        """
        for pod in old_pods:
            if is_going(pod) or not causes_of_pod(pod, crashes_count=True):
                continue
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
            try:
                self._connection.request("DELETE", path, body={"preconditions": {"uid": metadata["uid"]}})
            except ApiError as error:
                if error.status not in (404, 409):  # it is gone, or another one has its name
                    self._remark = f"The pod {metadata['name']} of an older revision keeps it from rolling: {error}"

    def _workload_events(self) -> list[str]:
        return events_about(self._connection, self._item.identity.namespace, self._workload["metadata"]["uid"])

    def _note(self) -> list[str]:
        return [self._remark] if self._remark else []


def _progress_of(item: PlannedObject, workload: Mapping[str, Any]) -> Progress:
    """Judge a workload. A pod that is its own workload is ready with its old containers until the kubelet acts."""
    progress = progress_of(workload)
    if item.identity.kind != "Pod" or item.live is None or not is_ready(workload):
        return progress
    images, now = (_by_name(pod["spec"]["containers"], "image") for pod in (item.live, workload))
    ids, ids_now = (
        _by_name((pod.get("status") or {}).get("containerStatuses") or [], "containerID")
        for pod in (item.live, workload)
    )
    changed = [name for name, image in now.items() if images.get(name) != image]
    return UNSEEN if any(ids.get(name) and ids_now.get(name) == ids[name] for name in changed) else progress


def _by_name(entries: Sequence[Mapping[str, Any]], field: str) -> dict[str, Any]:
    return {entry["name"]: entry.get(field) for entry in entries}


def _is_of_old_pod(cause: Cause) -> bool:
    """Tell whether a cause is of a pod that was there before, as far as this machine's clock can tell."""
    created = cause.pod["metadata"].get("creationTimestamp") if cause.pod else None
    if not created:
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds() > OLD_POD


def _restarts(cause: Cause) -> int:
    statuses = ((cause.pod or {}).get("status") or {}).get("containerStatuses") or []
    return sum(entry.get("restartCount") or 0 for entry in statuses if entry["name"] == cause.container)


def _newest(deployment: Mapping[str, Any], replica_sets: Sequence[Mapping[str, Any]]) -> str:
    """Return the uid of the Deployment's newest ReplicaSet, empty while there is none."""
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION)
    for replica_set in controlled_by(replica_sets, deployment["metadata"]["uid"]):
        if (replica_set["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION) == revision:
            return str(replica_set["metadata"]["uid"])
    return ""


def _is_newest(workload: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod is of the newest template, where the workload replaces those that are not."""
    if workload["kind"] == "StatefulSet":
        found, newest = labels_of(pod).get(REVISION_LABEL), (workload.get("status") or {}).get("updateRevision")
    elif workload["kind"] == "DaemonSet":
        found, newest = labels_of(pod).get(GENERATION_LABEL), annotations_of(workload).get(GENERATION_ANNOTATION)
    else:
        return True
    return found == newest or not newest or is_rolled_by_hand(workload)
