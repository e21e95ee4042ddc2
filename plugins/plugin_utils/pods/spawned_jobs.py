# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs that the Dispatcher has spawned (the app's contract, "The Job it spawns"): they carry no label of ours."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..api.connection import Connection
from ..objects.labels import labels_of
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


def is_of_spawned_job(body: Mapping[str, Any]) -> bool:
    """Tell whether an object is a Job that SELECTOR selects, or its pod."""
    labels = labels_of(body)
    return labels.get("app") == "agentsmith" and "job-id" in labels


def container_of_job(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the agent's container in the template of a Job."""
    return container_of(job["spec"]["template"], CONTAINER)


def channel_of_job(job: Mapping[str, Any]) -> str:
    """Return the channel in which a Job was asked for, empty if it does not say so."""
    arguments = container_of_job(job).get("args") or []
    return next((value for name, value in pairwise(arguments) if name == "--channel-id"), "")


def secrets_of_job(job: Mapping[str, Any]) -> set[str]:
    """Return the names of the Secrets that the agent's container reads."""
    sources = [entry.get("valueFrom") or {} for entry in container_of_job(job).get("env") or []]
    return {source["secretKeyRef"]["name"] for source in sources if source.get("secretKeyRef")}


def is_running(job: Mapping[str, Any]) -> bool:
    """Tell whether a Job has yet to end; one that waits for its pod counts."""
    return _end(job) is None


def waits_for_pod(job: Mapping[str, Any]) -> bool:
    """Tell whether a Job has no pod that runs, as Kubernetes counts them; without that count it is taken to run."""
    return bool((job.get("status") or {}).get("ready", 1) == 0)


def created_at(job: Mapping[str, Any]) -> datetime:
    """Return when a Job was made."""
    return datetime.fromisoformat(job["metadata"]["creationTimestamp"])


def ended_at(job: Mapping[str, Any]) -> datetime | None:
    """Return when a Job ended, None if it has not."""
    end = _end(job)
    return datetime.fromisoformat(end["lastTransitionTime"]) if end else None


def _end(job: Mapping[str, Any]) -> Mapping[str, Any] | None:
    conditions: list[Mapping[str, Any]] = (job.get("status") or {}).get("conditions") or []
    return next(
        (item for item in conditions if item["type"] in ("Complete", "Failed") and item["status"] == "True"), None
    )
