# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in flight when their Dispatcher or their Redis is about to be replaced.

They run on, whatever becomes of the release. But the Dispatcher keeps in its memory which of them it listens to (the
app's contract, Lifecycle): what a Job says after its Dispatcher is gone reaches nobody in Slack, and its channel stays
busy. A Redis that restarts has forgotten the channels and what Jobs have said: the Dispatcher then ignores the Jobs
that run. So those that a Dispatcher listens to are waited for; of the others, nothing more is to be heard anyway.
"""

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Self

from ..api.connection import Connection
from ..api.wait_report import Say, WaitReport
from ..objects.errors import ApplyError
from ..objects.kinds import TEMPLATE
from ..objects.managed_fields import value_at
from ..objects.planned_object import PlannedObject
from ..pods.spawned_jobs import is_running, read_spawned_jobs
from .listeners import is_heard

POLL_PAUSE = 1.0  # seconds
# For as long is a Job waited for whose pod has not started: its image may be missing, and it may never start. Seconds
STARTING = 60.0


class JobsInFlight(ApplyError):
    """Jobs still run at the end of the time to wait for them, so nothing was changed."""


@dataclass(frozen=True)
class Drain:
    """Wait for the Jobs that *deployment* has spawned before its pods, or those of *redis*, are replaced.

    ``timeout``: seconds; zero does not wait and only tells. ``redis``: the Deployment of Redis, empty where the release
    has none. ``is_preview``: tells whether there would be a wait.
    """

    deployment: str
    timeout: float = 0
    redis: str = ""
    is_preview: bool = False

    def previewed(self) -> Self:
        """Return the same for a run that only looks."""
        return replace(self, is_preview=True)


def wait_for_jobs(
    connection: Connection,
    drain: Drain,
    planned: Sequence[PlannedObject],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    say: Say | None = None,
) -> list[str]:
    """Wait until no Job runs, where the plan replaces the pods; return what the user should know. Writes nothing.

    :raises JobsInFlight: when some still run at the timeout, naming them.
    """
    rolling = [item.identity for item in planned if _replaces_pods(item, {drain.deployment, drain.redis})]
    if not rolling:
        return []
    begun = clock()
    report = WaitReport(say, clock)
    namespace = rolling[0].namespace
    dispatcher = next((item for item in planned if _is_deployment(item, {drain.deployment})), None)
    named = " and ".join(map(str, rolling))
    rolls, has = ("rolls", "has") if len(rolling) == 1 else ("roll", "have")
    while True:
        now = clock()
        running = _heard(connection, namespace, dispatcher, has_started=now - begun >= STARTING)
        if not running:
            return []
        if drain.timeout and drain.is_preview:
            return [
                f"A real run waits before {named} {rolls}, for up to {drain.timeout:g} s "
                f"(dispatcher_drain_timeout): {_jobs(running)} in flight."
            ]
        if not drain.timeout:
            return [
                f"{named} {rolls} while {_jobs(running)} in flight. They go on and finish their work, but "
                "Slack shows nothing more of them. dispatcher_drain_timeout is 0, so nobody waits for them."
            ]
        if now >= begun + drain.timeout:
            raise JobsInFlight(
                f"{named} {has} to roll, but after {drain.timeout:g} s (dispatcher_drain_timeout) "
                f"{_jobs(running)} still in flight; their Slack threads would fall silent. Nothing was changed. Run "
                "again when they are done, wait longer, or roll at once with -e dispatcher_drain_timeout=0."
            )
        report.tell(
            f"Waiting until {named} may roll: {_jobs(running)} in flight. To roll at once, stop this run "
            "and add -e dispatcher_drain_timeout=0"
        )
        sleep(POLL_PAUSE)


def _heard(connection: Connection, namespace: str, dispatcher: PlannedObject | None, has_started: bool) -> list[str]:
    """Return the names of the running Jobs that the present pods of the Dispatcher may listen to.

    :param has_started: whether only those count whose pod runs.
    """
    running = [
        job
        for job in read_spawned_jobs(connection, namespace)
        if is_running(job) and not (has_started and not job["status"].get("ready"))
    ]
    labels = value_at(dispatcher and dispatcher.live, ("spec", "selector", "matchLabels"))
    if running and isinstance(labels, dict):
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        pods = connection.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector}).body["items"]
        running = [job for job in running if is_heard(job, pods)]
    return sorted(job["metadata"]["name"] for job in running)


def _is_deployment(item: PlannedObject, names: Set[str]) -> bool:
    return item.identity.kind == "Deployment" and item.identity.name in names


def _replaces_pods(item: PlannedObject, names: Set[str]) -> bool:
    """Tell whether an update changes the template; of what changes above it, nobody knows what is below."""
    return (
        _is_deployment(item, names)
        and item.result == "updated"
        and any(path[: len(TEMPLATE)] == TEMPLATE[: len(path)] for path in item.paths)
    )


def _jobs(names: Sequence[str]) -> str:
    return f"{'the Job' if len(names) == 1 else 'the Jobs'} {', '.join(names)} {'is' if len(names) == 1 else 'are'}"
