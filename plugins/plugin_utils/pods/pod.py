# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod says of itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects.labels import annotations_of
from ..objects.planned_object import is_going

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod gets requests."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def container_of(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a container of a pod, or of a pod template, by its name: a service mesh may put its own before it.

    If somebody named it otherwise, it is the one that kubectl takes.
    """
    containers: list[Mapping[str, Any]] = pod["spec"]["containers"]
    by_name = {entry.get("name"): entry for entry in containers}
    return by_name.get(name) or by_name.get(annotations_of(pod).get(DEFAULT_CONTAINER, "")) or containers[0]


def status_of_container(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what the kubelet says of the container that container_of() finds; nothing before it has said something."""
    entries = (pod.get("status") or {}).get("containerStatuses") or []
    return next((entry for entry in entries if entry["name"] == container_of(pod, name)["name"]), {})


def node_of(pod: Mapping[str, Any]) -> str:
    """Return the name of the node that a pod is on, empty before it is scheduled."""
    return str((pod.get("spec") or {}).get("nodeName") or "")


def disruption_of(pod: Mapping[str, Any]) -> str:
    """Return what its node or its cluster does to a pod, under Kubernetes' name for it; empty if nothing.

    The pod alone is asked, because those who deploy need not be allowed to read Nodes. Its containers say what the
    kubelet last knew: if the node is gone, they run for ever.
    """
    conditions = {entry.get("type"): entry for entry in (pod.get("status") or {}).get("conditions") or []}
    node = node_of(pod)
    target = conditions.get("DisruptionTarget") or {}
    if is_going(pod) and target.get("status") == "True":
        # What a node does that answers no more: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
        text = f"{target.get('reason')}: {target.get('message')}"
        return f"{text}. Node {node} has not confirmed yet that the pod has ended" if node else text
    ready, containers = conditions.get("Ready") or {}, conditions.get("ContainersReady") or {}
    # The node lifecycle controller changes the first alone, without a reason; the kubelet changes both, or gives one.
    if ready.get("status") == "False" and not ready.get("reason") and containers.get("status") == "True":
        return f"NodeNotReady: node {node} does not answer"
    return ""


def controlled_by(items: Iterable[Mapping[str, Any]], owner_uid: str) -> list[Mapping[str, Any]]:
    """Return the pods, or other objects, that the object with *owner_uid* controls."""
    return [
        item
        for item in items
        if any(owner.get("uid") == owner_uid for owner in item["metadata"].get("ownerReferences") or [])
    ]


def newest_unready(pods: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the newest pod that is not ready and not going away, None if there is none."""
    unready = [pod for pod in pods if not is_ready(pod) and not is_going(pod)]
    return max(unready, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
