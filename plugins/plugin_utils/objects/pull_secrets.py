# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a ServiceAccount: a list that the server replaces as a whole, and to which others add theirs.

OpenShift puts a Secret of its own into the list of every ServiceAccount. Who states the list states all of it
(https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy), so what others have put in is stated
along with ours. An annotation says which entries are ours: they are to go when the release no longer has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .identity import Identity
from .labels import annotations_of
from .managed_fields import recorded_fields

FIELD = "imagePullSecrets"
ANNOTATION = "agentsmith.platform/image-pull-secrets"


def keep_others(bodies: Sequence[dict[str, Any]], live: Mapping[Identity, dict[str, Any] | None]) -> None:
    """Complete the ServiceAccounts among *bodies* with the pull secrets of others, which are live. May be repeated."""
    for body in bodies:
        if (body["apiVersion"], body["kind"]) == ("v1", "ServiceAccount"):
            _keep_others(body, live.get(Identity.of(body)) or {})


def _keep_others(body: dict[str, Any], live: Mapping[str, Any]) -> None:
    stated = annotations_of(body).get(ANNOTATION)
    ours = _names(body.get(FIELD) or []) if stated is None else _split(stated)
    found: list[Any] = live.get(FIELD) or []
    is_recorded = f"f:{FIELD}" in (recorded_fields(live).get("fieldsV1") or {})
    before = annotations_of(live).get(ANNOTATION)
    # Without the annotation, a list that nobody has changed since we stated it is all ours.
    once_ours = _split(before) if before is not None else _names(found) if is_recorded else []
    kept = [entry for entry in found if not set(_names([entry])) & (set(once_ours) - set(ours))]
    wanted = [*kept, *({"name": name} for name in ours if name not in _names(kept))]
    # A list of others that has all of ours and none too many is theirs: they change it without us.
    is_stated = bool(wanted) and (is_recorded or wanted != found)
    body.pop(FIELD, None)
    if is_stated:
        body[FIELD] = wanted
    if ours or is_stated or before is not None:
        body["metadata"].setdefault("annotations", {})[ANNOTATION] = ",".join(ours)


def _names(entries: Sequence[Any]) -> list[str]:
    return [entry["name"] for entry in entries if isinstance(entry, Mapping) and entry.get("name")]


def _split(names: str) -> list[str]:
    return [name for name in names.split(",") if name]
