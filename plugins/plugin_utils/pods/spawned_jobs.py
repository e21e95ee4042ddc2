# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs that the Dispatcher has spawned (the app's contract, "The Job it spawns"): they carry no label of ours."""

from collections.abc import Mapping
from typing import Any

from ..api.connection import Connection
from .pod import container_of

# Of the Job and of its pods. The second label keeps apart what somebody else has called agentsmith.
SELECTOR = "app=agentsmith,job-id"
CONTAINER = "agentsmith"


def read_spawned_jobs(connection: Connection, namespace: str) -> list[dict[str, Any]]:
    """Read the Jobs as they are now.

    :raises ApiError: when they may not be listed.
    """
    answer = connection.get(f"/apis/batch/v1/namespaces/{namespace}/jobs", {"labelSelector": SELECTOR})
    return [{**job, "apiVersion": "batch/v1", "kind": "Job"} for job in answer.body.get("items") or []]


def container_of_job(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the agent's container in the template of a Job."""
    return container_of(job["spec"]["template"], CONTAINER)


def is_running(job: Mapping[str, Any]) -> bool:
    """Tell whether a Job has yet to end; one that waits for its pod counts."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return not any(entry["type"] in ("Complete", "Failed") and entry["status"] == "True" for entry in conditions)
