# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Dispatcher listens to a Job: the process that spawned it, for as long as that runs (the app's contract)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..pods.names import CONTAINERS, DISPATCHER
from ..pods.pod import status_of_container
from ..pods.spawned_jobs import created_at


def listening_since(pod: Mapping[str, Any]) -> datetime | None:
    """Return when the Dispatcher's process in a pod started. One that was started again listens to no old Job."""
    running = _state(pod).get("running") or {}
    return datetime.fromisoformat(running["startedAt"]) if running.get("startedAt") else None


def is_heard(job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether one of the Dispatcher's *pods* may listen to a Job: whether its process is older than that."""
    return any(_may_listen(pod, created_at(job)) for pod in pods)


def _may_listen(pod: Mapping[str, Any], created: datetime) -> bool:
    state = _state(pod)
    if state and "running" not in state:
        return False  # it waits, or has ended
    since = listening_since(pod)
    return since is None or since <= created


def _state(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    return status_of_container(pod, CONTAINERS[DISPATCHER]).get("state") or {}
