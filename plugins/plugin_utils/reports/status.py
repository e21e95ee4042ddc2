# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of an installation: its Deployments with their images, its Jobs and channels. For people, one screen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..objects.errors import ApiError, ApplyError
from ..pods.diagnosis import causes_of_pod, node_of_deleted_pod, read_events
from ..pods.job_state import WAITING, JobState, state_of
from ..pods.names import CONTAINERS, DISPATCHER, REDIS
from ..pods.pod import container_of, controlled_by, disruption_of, is_ready
from ..pods.progress import progress_of
from ..pods.remedy import remedies_by_name, remedy_of_cause
from ..release.conversations import Conversations, read_conversations, table_of
from ..text.counted import counted
from ..text.one_line import one_line
from ..text.text_table import aligned
from ..verification.target import Target, main_container

# On the screen; the result has all of it.
CAUSE_WIDTH = 100  # characters
JOBS_SHOWN = 20


@dataclass(frozen=True)
class Workload:
    """A Deployment. `ready` and `wanted` count pods, `image` is that of its own container; `problem` may be empty.

    `remedy` says which variables to change, if any help. `other_images` are those of ready pods while a change is not
    through: they serve, not `image`.
    """

    name: str
    ready: int
    wanted: int
    image: str
    restarts: int
    problem: str
    remedy: str = ""
    other_images: Sequence[str] = ()


@dataclass(frozen=True)
class Status:
    """`agent_image` is that of the Jobs to come, empty where there is no Dispatcher. `jobs`: the newest first.

    `conversations` is None where `not_read` says why.
    """

    namespace: str
    server: str
    workloads: list[Workload]
    agent_image: str
    jobs: list[JobState]
    conversations: Conversations | None
    not_read: str

    def as_dict(self) -> dict[str, Any]:
        """For a module's result, and as JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """Return one screen."""
        return "\n".join([*self._workloads(), "", *self._jobs(), "", *self._channels()])

    def _workloads(self) -> list[str]:
        rows = [["WORKLOAD", "READY", "RESTARTS", "IMAGE", "PROBLEM"]]
        rows += [
            [
                load.name,
                f"{load.ready}/{load.wanted}",
                str(load.restarts),
                load.image,
                one_line(load.problem, CAUSE_WIDTH),
            ]
            for load in self.workloads
        ]
        lines = [f"Namespace {self.namespace} on {self.server}", "", *aligned(rows)]
        lines += [
            f"The ready pods of {load.name} still run {', '.join(load.other_images)}"
            for load in self.workloads
            if load.other_images
        ]
        lines += remedies_by_name((load.name, load.remedy) for load in self.workloads)
        if self.agent_image:
            lines += ["", f"Image of the Jobs: {self.agent_image}"]
        return lines

    def _jobs(self) -> list[str]:
        if not self.jobs:
            return ["No Jobs: none is running. Finished Jobs are removed after their time to live."]
        rows = [["JOB", "STATE", "AGE", "TOOK", "CHANNEL", "NODE", "REQUEST", "CAUSE"]]
        rows += [
            [
                job.name,
                job.state,
                _seconds(job.age),
                "" if job.duration is None else _seconds(job.duration),
                job.channel,
                job.node,
                job.request,
                one_line(job.cause, CAUSE_WIDTH),
            ]
            for job in self.jobs[:JOBS_SHOWN]
        ]
        more = len(self.jobs) - JOBS_SHOWN
        remedies = remedies_by_name((job.name, job.remedy) for job in self.jobs[:JOBS_SHOWN])
        return [*aligned(rows), *([f"and {counted(more, 'older one')}"] if more > 0 else []), *remedies]

    def _channels(self) -> list[str]:
        if self.conversations is None:
            return [f"Channels: not checked, as {self.not_read}."]
        lines = table_of(self.conversations.found)
        waiting = {job.name for job in self.jobs if job.state == WAITING}
        if self.conversations.stuck:
            lines += [
                "A stuck channel answers that a job is running. Free it with agentsmith.platform.unblock, or wait "
                "until Redis forgets the conversation."
            ]
        return [
            *(lines or ["No channel waits for a Job."]),
            *(
                f"{name} {'waits' if name in waiting else 'runs'}, but Redis has no conversation for it: what it says "
                "reaches nobody, and its channel is free. Redis has restarted or was short of memory, or the Job does "
                "not come from the Dispatcher."
                for name in self.conversations.lost
            ),
        ]


def read_status(target: Target, ask_redis: Callable[[Target, datetime], Conversations] = read_conversations) -> Status:
    """Ask the API server, and Redis about the channels.

    :raises ApplyError: when it does not answer, or Deployments, pods or Jobs may not be read.
    """
    now = datetime.now(UTC)
    deployments = {DISPATCHER: target.dispatcher, REDIS: target.redis}
    workloads = [
        workload_of(live, target.pods_of(live)) if live else Workload(name, 0, 0, "", 0, "does not exist")
        for name, live in deployments.items()
    ]
    pods = target.read_job_pods()
    jobs = [_job_state(target, job, controlled_by(pods, job["metadata"]["uid"]), now) for job in target.read_jobs()]
    jobs.sort(key=lambda job: job.age)
    conversations, not_read = None, ""
    try:
        conversations = ask_redis(target, now)
    except ApplyError as error:
        not_read = str(error).rstrip(".")
    return Status(
        target.names.namespace,
        target.connection.host,
        workloads,
        _agent_image(target.dispatcher),
        jobs,
        conversations,
        not_read,
    )


def workload_of(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Workload:
    """Judge one Deployment with its pods."""
    name = deployment["metadata"]["name"]
    image = main_container(deployment, name)["image"]
    ready = [pod for pod in pods if is_ready(pod)]
    progress = progress_of(deployment)
    causes = [cause for pod in pods for cause in causes_of_pod(pod, crashes_count=True)]
    causes += [progress.cause] if progress.cause else []
    problem = remedy = ""
    other_images: set[str] = set()
    if not progress.complete:
        remedy = remedy_of_cause(causes[0], deployment) if causes else ""
        disruptions = [text for pod in pods for text in [disruption_of(pod)] if text]
        why = [*(f"{cause.reason}: {cause.message}" for cause in causes), *disruptions]
        problem = "; ".join([progress.failure or progress.text, *why[:1]])
        other_images = {container_of(pod, CONTAINERS[name])["image"] for pod in ready} - {image}
    return Workload(
        name=name,
        ready=len(ready),
        wanted=deployment["spec"].get("replicas", 1),
        image=image,
        restarts=sum(
            entry.get("restartCount") or 0
            for pod in pods
            for entry in (pod.get("status") or {}).get("containerStatuses") or []
        ),
        problem=problem,
        remedy=remedy,
        other_images=sorted(other_images),
    )


def _agent_image(dispatcher: Mapping[str, Any] | None) -> str:
    if dispatcher is None:
        return ""
    env = main_container(dispatcher, DISPATCHER).get("env") or []
    return next((e.get("value") or "" for e in env if e["name"] == "AGENTSMITH_IMAGE"), "")


def _job_state(target: Target, job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now: datetime) -> JobState:
    if pods:
        return state_of(job, pods, [], now)
    try:
        events = read_events(target.connection, target.names.namespace, job["metadata"]["uid"])
        node = node_of_deleted_pod(target.connection, target.names.namespace, events)
    except ApiError:
        return state_of(job, pods, [], now)  # the state stays, its cause is not known
    return replace(state_of(job, pods, events, now), node=node)


def _seconds(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
