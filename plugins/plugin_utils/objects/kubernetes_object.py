# SPDX-License-Identifier: GPL-3.0-or-later
"""One Kubernetes object of a release: who it is, whose it is, and the form in which it is sent."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError

FIELD_MANAGER = "agentsmith.platform"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
INSTANCE_LABEL = "app.kubernetes.io/instance"
# On what belongs to no namespace: that of the release.
NAMESPACE_LABEL = "agentsmith.platform/namespace"
LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Identity:
    """What names an object in a cluster. ``namespace`` is empty for a cluster-scoped object."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Identity:
        """Return the identity that a complete object states."""
        metadata = body["metadata"]
        return cls(body["apiVersion"], body["kind"], metadata.get("namespace") or "", metadata["name"])

    @property
    def group(self) -> str:
        """The API group: `apps` of `apps/v1`, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def unversioned(self) -> tuple[str, str, str, str]:
        """What names the object in all versions of its group."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def labels_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels of an object, empty where it has none."""
    return (body.get("metadata") or {}).get("labels") or {}


def annotations_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations of an object, empty where it has none."""
    return (body.get("metadata") or {}).get("annotations") or {}


def is_ours(live: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
    """Tell whether a live object carries the labels of the installation that the desired one belongs to."""
    wanted, found = labels_of(desired), labels_of(live)
    return (
        found.get(MANAGED_BY_LABEL) == FIELD_MANAGER
        and INSTANCE_LABEL in wanted
        and found.get(INSTANCE_LABEL) == wanted[INSTANCE_LABEL]
    )


def normalise_objects(objects: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the objects in the form in which they are compared and sent.

    Plain JSON types only; keys without a value (``null``) and the status are left out, because in a manifest both
    mean "not stated"; a Secret's ``stringData`` becomes ``data``, so that the API server never has to record it.

    :raises ApplyError: naming every object that is incomplete, malformed or given twice.
    """
    faults: list[str] = []
    bodies: list[dict[str, Any]] = []
    for position, given in enumerate(objects):
        where = f"objects[{position}]"
        try:
            body = _normalise(given, where)
        except ApplyError as fault:
            faults.append(str(fault))
        else:
            bodies.append(body)
    seen: set[tuple[str, str, str, str]] = set()
    for body in bodies:
        identity = Identity.of(body)
        if identity.unversioned in seen:
            faults.append(f"{identity} is in the list twice: the two would undo each other. Keep one of them.")
        seen.add(identity.unversioned)
    if faults:
        raise ApplyError("\n".join(faults))
    return bodies


def _normalise(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ApplyError(
            f"{where} is a {type(given).__name__}: each entry must be one Kubernetes object, a dictionary."
        )
    try:
        body = _without_nulls(json.loads(json.dumps(given)))
    except (TypeError, ValueError) as error:
        # The text of the error could quote a value; its type and the object's place are enough to find it.
        raise ApplyError(
            f"{where} ({given.get('kind')}) holds something that JSON cannot express ({type(error).__name__}), "
            "for example an unquoted date: quote it."
        ) from None
    metadata = body.get("metadata")
    missing = [key for key in ("apiVersion", "kind") if not isinstance(body.get(key), str) or not body[key]]
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        missing.append("metadata.name")
    if missing:
        raise ApplyError(
            f"{where} ({given.get('kind') or 'no kind'}) lacks {', '.join(missing)}: a string is required."
        )
    body.pop("status", None)
    return _with_secret_data(body) if body["kind"] == "Secret" and body["apiVersion"] == "v1" else body


def _without_nulls(value: Any) -> Any:
    """Drop keys whose value is null; an entry of a list stays, for there its place counts."""
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_without_nulls(entry) for entry in value]
    return value


def _with_secret_data(body: dict[str, Any]) -> dict[str, Any]:
    """Merge ``stringData`` into ``data`` as the API server would; check both without quoting a value."""
    identity = Identity.of(body)
    data = dict(_string_values(body, "data", identity))
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ApplyError(
                f"{identity}: the value of data[{key}] is not base64. Encode it, or give it in stringData."
            ) from None
    for key, value in _string_values(body, "stringData", identity).items():
        data[key] = base64.b64encode(value.encode()).decode()
    result = {key: value for key, value in body.items() if key != "stringData"}
    if data or "data" in body:
        result["data"] = data
    return result


def _string_values(body: Mapping[str, Any], field: str, identity: Identity) -> dict[str, str]:
    values = body.get(field, {})
    if not isinstance(values, dict):
        raise ApplyError(f"{identity}: {field} must be a dictionary of strings.")
    for key, value in values.items():
        if not isinstance(value, str):
            raise ApplyError(f"{identity}: the value of {field}[{key}] is not a string. Quote it.")
    return values
