# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: writes the status of pods as a kubelet would, where there are no nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from control_plane import ControlPlane
from repeating import repeating
from watched_objects import watched_objects

MERGE = "application/merge-patch+json"
PAUSE = 0.1  # seconds between two looks


def ready() -> dict[str, Any]:
    """Return the status of a pod that runs."""
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }


def succeeded() -> dict[str, Any]:
    """Return the status of a pod that has done its work."""
    return {"phase": "Succeeded"}


def failed() -> dict[str, Any]:
    """Return the status of a pod that has failed."""
    return {"phase": "Failed"}


def waiting(reason: str, message: str, container: str) -> dict[str, Any]:
    """Return the status of a pod whose container does not start."""
    state = {"waiting": {"reason": reason, "message": message}}
    entry = {"name": container, "ready": False, "restartCount": 0, "image": "x", "imageID": "", "state": state}
    return {"phase": "Pending", "containerStatuses": [entry]}


@contextmanager
def stand_in_kubelet(
    control_plane: ControlPlane, namespace: str, status: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[None]:
    """Give each pod that appears in *namespace* the status, for as long as the context lasts.

    :param status: the status of all pods, or a function from a pod to its status.
    """
    path = f"/api/v1/namespaces/{namespace}/pods"

    def look() -> None:
        for pod in pods():
            wanted = status(pod) if callable(status) else status
            name, generation = (pod["metadata"].get(key) for key in ("name", "generation"))
            before = (pod["status"].get("phase"), pod["status"].get("observedGeneration"))
            if before != (wanted["phase"], generation) or "containerStatuses" in wanted:
                whole = {"conditions": None, "containerStatuses": None, "observedGeneration": generation, **wanted}
                # Not of another pod that has got its name meanwhile
                body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": whole}
                control_plane.request("PATCH", f"{path}/{name}/status", body, MERGE)

    with watched_objects(control_plane, path) as pods, repeating(look, PAUSE):
        yield
