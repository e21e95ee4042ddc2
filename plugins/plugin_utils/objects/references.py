# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other objects does an object need by their names? Answered from what it states alone.

Only those that hold something that others may fill or that pods start with: Secrets, ConfigMaps, ServiceAccounts,
volume claims. A reference that is optional is none: what goes is not missed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# What identifies an object in all versions of its group, as Identity.unversioned
Unversioned = tuple[str, str, str, str]

# The fields that name one by themselves, and those that hold an object with its name
_NAMES = {"secretName": "Secret", "serviceAccountName": "ServiceAccount", "claimName": "PersistentVolumeClaim"}
_HOLDERS = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "secret": "Secret",
    "certificateRefs": "Secret",
    "imagePullSecrets": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMap": "ConfigMap",
}


def referenced(body: Mapping[str, Any]) -> set[Unversioned]:
    """Return what an object needs in its own namespace."""
    namespace = body["metadata"].get("namespace") or ""
    content = {name: value for name, value in body.items() if name not in ("metadata", "status", "data", "stringData")}
    return {("", kind, namespace, name) for kind, name in _named(content, namespace)}


def _named(value: Any, namespace: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for entry in value:
            yield from _named(entry, namespace)
    if not isinstance(value, Mapping) or value.get("optional") is True:
        return
    for field, below in value.items():
        if field in _NAMES and isinstance(below, str):
            yield _NAMES[field], below
        if field in _HOLDERS:
            for holder in below if isinstance(below, list) else [below]:
                if _names_one(holder, _HOLDERS[field], namespace):
                    yield _HOLDERS[field], holder["name"]
        yield from _named(below, namespace)


def _names_one(holder: Any, kind: str, namespace: str) -> bool:
    if not isinstance(holder, Mapping) or not isinstance(holder.get("name"), str) or holder.get("optional") is True:
        return False
    return holder.get("kind", kind) == kind and (holder.get("namespace") or namespace) == namespace
