# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in flight when their Dispatcher is about to be replaced.

They run on, whatever becomes of the release. But the Dispatcher keeps in its memory which of them it listens to (the
app's contract, Lifecycle): what a Job says after its Dispatcher is gone reaches nobody in Slack.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from ..api.connection import Connection
from ..api.wait_report import Say, WaitReport
from ..objects.errors import ApplyError
from ..objects.kinds import TEMPLATE
from ..objects.planned_object import PlannedObject
from ..pods.spawned_jobs import is_running, read_spawned_jobs

POLL_PAUSE = 1.0  # seconds


class JobsInFlight(ApplyError):
    """Jobs still run at the end of the time to wait for them, so nothing was changed."""


@dataclass(frozen=True)
class Drain:
    """Wait for the Jobs that *deployment* has spawned before its pods are replaced.

    ``timeout``: seconds; zero does not wait and only tells.
    """

    deployment: str
    timeout: float = 0

    def without_waiting(self) -> Self:
        """Return the same without the wait."""
        return replace(self, timeout=0)


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
    rolling = [item for item in planned if _replaces_pods(item, drain.deployment)]
    if not rolling:
        return []
    deadline = clock() + drain.timeout
    report = WaitReport(say, clock)
    namespace = rolling[0].identity.namespace
    while True:
        jobs = read_spawned_jobs(connection, namespace)
        running = sorted(job["metadata"]["name"] for job in jobs if is_running(job))
        if not running:
            return []
        if not drain.timeout:
            return [
                f"{rolling[0].identity} rolls while {_jobs(running)} in flight. They go on and finish their work, but "
                "Slack shows nothing more of them. To wait for them first, set dispatcher_drain_timeout."
            ]
        if clock() >= deadline:
            raise JobsInFlight(
                f"{rolling[0].identity} has to roll, but after {drain.timeout:g} s (dispatcher_drain_timeout) "
                f"{_jobs(running)} still in flight; their Slack threads would fall silent. Nothing was changed. Run "
                "again when they are done, wait longer, or set dispatcher_drain_timeout to 0 to roll at once."
            )
        report.tell(f"Waiting until {rolling[0].identity} may roll: {_jobs(running)} in flight")
        sleep(POLL_PAUSE)


def _replaces_pods(item: PlannedObject, deployment: str) -> bool:
    """Tell whether an update changes the template; of what changes above it, nobody knows what is below."""
    return (item.identity.kind, item.identity.name, item.result) == ("Deployment", deployment, "updated") and any(
        path[: len(TEMPLATE)] == TEMPLATE[: len(path)] for path in item.paths
    )


def _jobs(names: Sequence[str]) -> str:
    return f"{'the Job' if len(names) == 1 else 'the Jobs'} {', '.join(names)} {'is' if len(names) == 1 else 'are'}"
