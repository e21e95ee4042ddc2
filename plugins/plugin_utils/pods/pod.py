# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects.planned_object import is_going


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod gets requests."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


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
