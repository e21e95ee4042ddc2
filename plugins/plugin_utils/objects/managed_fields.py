# SPDX-License-Identifier: GPL-3.0-or-later
"""Who stated which field of a live object, and when: ``metadata.managedFields``, and the paths of the fields in it.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Who we are to the API server, in managedFields and in the label managed-by.
FIELD_MANAGER = "agentsmith.platform"
# Who is to own a number of replicas that we no longer state, until an autoscaler changes it.
HAND_OVER_MANAGER = f"{FIELD_MANAGER}/handed-over"
# What `kubectl apply` without --server-side leaves on an object: a copy of all that was stated, values of Secrets too.
LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

# What the cluster adds of itself to objects, a number of replicas by an autoscaler for example, is nobody's change.
CONTROLLERS = frozenset({"kube-controller-manager", "kube-scheduler", "kube-apiserver", "cloud-controller-manager"})

Path = tuple[str, ...]

# Set by the server on every namespace, and recorded as a statement of whoever created it.
NAMESPACE_NAME: Path = ("metadata", "labels", "kubernetes.io/metadata.name")


@dataclass(frozen=True)
class FieldOwner:
    """A field manager. ``operation`` is `Apply` or `Update`, ``time`` that of its last change, in RFC 3339."""

    manager: str
    operation: str
    time: str
    subresource: str

    @property
    def is_status(self) -> bool:
        """Tell whether it reports what it has observed, instead of stating what is wanted."""
        return self.subresource == "status"


def owners(live: Mapping[str, Any]) -> list[tuple[FieldOwner, Mapping[str, Any]]]:
    """Return the field managers of an object with the fields of each, the one that wrote last first."""
    entries = (live.get("metadata") or {}).get("managedFields") or []
    found = [
        (
            FieldOwner(
                entry.get("manager") or "",
                entry.get("operation") or "",
                entry.get("time") or "",
                entry.get("subresource") or "",
            ),
            entry.get("fieldsV1") or {},
        )
        for entry in entries
    ]
    return sorted(found, key=lambda pair: pair[0].time, reverse=True)


def owner_of(live: Mapping[str, Any], path: Path) -> FieldOwner | None:
    """Return who wrote the field last, a whole that contains it, or a part of it. A removed field has no owner."""
    return next((owner for owner, fields in owners(live) if not owner.is_status and _has(fields, path)), None)


def stated_beside(fields: Mapping[str, Any], ours: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the paths that the record *fields* holds and the record *ours* does not.

    An entry of a list that is not in *ours* at all stands for all that is in it.
    """
    for entry, below in fields.items():
        if entry == ".":
            continue
        part = (*path, _part(entry))
        has_members = any(name != "." for name in below)
        if entry not in ours:
            if has_members and entry.startswith("f:"):
                yield from stated_beside(below, {}, part)
            else:
                yield part
        elif has_members and ours[entry]:
            yield from stated_beside(below, ours[entry], part)


def entries_beside(live: Any, ours: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the paths of live entries in keyed lists of which the record *ours* has other entries only."""
    for field, below in ours.items():
        if not (field.startswith("f:") and isinstance(live, Mapping)):
            continue
        value, part = live.get(field[2:]), (*path, field[2:])
        keys = {entry: json.loads(entry[2:]) for entry in below if entry.startswith("k:")}
        if not keys or not isinstance(value, list):
            yield from entries_beside(value, below, part)
            continue
        for found in value:
            entry = next((entry for entry, key in keys.items() if _matches(found, key_text(key))), None)
            if entry:
                yield from entries_beside(found, below[entry], (*part, key_text(keys[entry])))
            elif isinstance(found, Mapping):
                yield (*part, key_text({name: found[name] for name in next(iter(keys.values()), {}) if name in found}))


def fields_of_others(
    live: Mapping[str, Any], reported: Sequence[Path] = ()
) -> Iterator[tuple[Path, FieldOwner | None]]:
    """Yield what others have stated beside the release, and what is not among the *reported* fields already.

    What admission puts into a list, a container for example, has no owner.
    """
    seen = [*reported, NAMESPACE_NAME]
    ours = recorded_fields(live).get("fieldsV1") or {}
    for owner, fields in owners(live):
        if owner.is_status or owner.manager in {*CONTROLLERS, FIELD_MANAGER, HAND_OVER_MANAGER}:
            continue
        for path in stated_beside(fields, ours):
            if not any(path[: len(known)] == known or known[: len(path)] == path for known in seen):
                seen.append(path)
                yield path, owner
    for path in entries_beside(live, ours):
        if path not in seen and owner_of(live, path) is None:
            yield path, None


def value_at(body: Any, path: Path) -> Any:
    """Return the value at a path, None where there is none: a Kubernetes object holds no null."""
    value = body
    for part in path:
        if part.startswith("["):
            value = next((entry for entry in value if _matches(entry, part)), None) if isinstance(value, list) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _has(fields: Mapping[str, Any], path: Path) -> bool:
    for part in path:
        below = next((fields[entry] for entry in fields if entry != "." and _part(entry) == part), None)
        if below is None:
            return False
        if not below:
            return True  # recorded as a whole, with all that is in it
        fields = below
    return True


def _part(entry: str) -> str:
    """Return the part of a path for a recorded one: `f:image`, `k:{"name":"redis"}`, `v:"a finalizer"`."""
    kind, content = entry[:2], entry[2:]
    if kind == "k:":
        return key_text(json.loads(content))
    return f"[={content}]" if kind == "v:" else content


def _matches(entry: Any, part: str) -> bool:
    if part.startswith("[="):
        return bool(entry == json.loads(part[2:-1]))
    keys = dict(pair.split("=", 1) for pair in part[1:-1].split(",") if "=" in pair)
    # A key that is left out has its default, which the live object states.
    return isinstance(entry, Mapping) and all(str(entry.get(name, value)) == value for name, value in keys.items())


def recorded_fields(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of our last server-side apply to the object, empty where there was none."""
    entries: list[dict[str, Any]] = (live.get("metadata") or {}).get("managedFields") or []
    for entry in entries:
        if (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply") and not entry.get("subresource"):
            return entry
    return {}


def apply_query(dry_run: bool, force: bool, manager: str = FIELD_MANAGER) -> dict[str, str]:
    """Return the query of a server-side apply. Unknown and duplicate fields are errors, not warnings."""
    query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"}
    return {**query, "dryRun": "All"} if dry_run else query


def as_text(path: Iterable[str]) -> str:
    """Write a path as `spec.template.spec.containers[name=redis].image`; a key with a dot stands in brackets."""
    text = ""
    for part in path:
        if part.startswith("["):
            text += part
        elif "." in part or "/" in part:
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def key_text(key: Mapping[str, Any]) -> str:
    """Return the part of a path that names an entry of a keyed list: `[name=redis]`."""
    return "[" + ",".join(f"{name}={value}" for name, value in key.items()) + "]"
