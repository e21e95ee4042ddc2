# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in flight when their Dispatcher is about to be replaced.

They run on, whatever becomes of the release. But the Dispatcher keeps in its memory which of them it listens to (the
app's contract, Lifecycle): what a Job says after its Dispatcher is gone reaches nobody in Slack.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.module_utils.plan import PlannedObject

POLL_PAUSE = 1.0  # seconds


@dataclass(frozen=True)
class Drain:
    """Wait for the Jobs that *selector* selects before the pods of *deployment* are replaced.

    ``timeout``: seconds; zero does not wait and only tells.
    """

    deployment: str
    selector: str
    timeout: float = 0

    def without_waiting(self) -> Drain:
        """Return the same without the wait."""
        return replace(self, timeout=0)


def wait_for_jobs(
    connection: Connection,
    drain: Drain,
    planned: Sequence[PlannedObject],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Wait until no Job runs, where the plan replaces the pods; return what the user should know. Writes nothing.

    :raises ApplyError: when some still run at the timeout, naming them.
    """
    rolling = [item for item in planned if _replaces_pods(item, drain.deployment)]
    if not rolling:
        return []
    deadline = clock() + drain.timeout
    namespace = rolling[0].identity.namespace
    query = {"labelSelector": drain.selector}
    while True:
        jobs = connection.get(f"/apis/batch/v1/namespaces/{namespace}/jobs", query).body.get("items") or []
        running = sorted(job["metadata"]["name"] for job in jobs if _is_running(job))
        if not running:
            return []
        if not drain.timeout:
            return [
                f"{rolling[0].identity} rolls while {_jobs(running)} in flight. They run on and finish their work, but "
                "nothing more is reported of them in Slack. To wait for them first, set dispatcher_drain_timeout."
            ]
        if clock() >= deadline:
            raise ApplyError(
                f"{rolling[0].identity} is to roll, and after {drain.timeout:g} s (dispatcher_drain_timeout) "
                f"{_jobs(running)} still in flight; their Slack threads would fall silent. Nothing was changed. Run "
                "again when they are done, wait longer, or set dispatcher_drain_timeout to 0 to roll at once."
            )
        sleep(POLL_PAUSE)


def _replaces_pods(item: PlannedObject, deployment: str) -> bool:
    identity = item.identity
    template_changes = any(path.startswith("spec.template") for path in item.fields)
    return (
        (identity.kind, identity.name) == ("Deployment", deployment)
        and item.result in ("updated", "deleted")
        and (template_changes or item.result == "deleted")
    )


def _is_running(job: Mapping[str, Any]) -> bool:
    """Tell whether a Job has not ended (https://kubernetes.io/docs/concepts/workloads/controllers/job/)."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return not any(entry["type"] in ("Complete", "Failed") and entry["status"] == "True" for entry in conditions)


def _jobs(names: Sequence[str]) -> str:
    return f"{'the Job' if len(names) == 1 else 'the Jobs'} {', '.join(names)} {'is' if len(names) == 1 else 'are'}"
