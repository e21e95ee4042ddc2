# SPDX-License-Identifier: GPL-3.0-or-later
"""The form in which the objects of a release are compared and sent."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from ..text.type_in_words import type_in_words
from .errors import ApplyError
from .identity import Identity


def normalise_objects(objects: Any) -> list[dict[str, Any]]:
    """Return the objects in the form in which they are compared and sent.

    Plain JSON types only; keys without a value (``null``) and the status are left out, because in a manifest both
    mean "not stated"; a Secret's ``stringData`` becomes ``data``, so that the API server never has to record it.

    :raises ApplyError: no list was given, or naming every object that is incomplete, malformed or given twice.
    """
    if not isinstance(objects, list):
        raise ApplyError(f"objects must be a list of Kubernetes objects, but {type_in_words(objects)} is given.")
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
            faults.append(f"{identity} is in the list twice: each entry would overwrite the other. Keep one of them.")
        seen.add(identity.unversioned)
    if faults:
        raise ApplyError("\n".join(faults))
    return bodies


def _normalise(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ApplyError(f"{where} is {type_in_words(given)}: each entry must be one Kubernetes object, a dictionary.")
    try:
        body = _without_nulls(json.loads(json.dumps(given)))
    except (TypeError, ValueError) as error:
        # The text of the error could quote a value; its type and the object's place are enough to find it.
        raise ApplyError(
            f"{where} ({given.get('kind')}) contains a value that JSON cannot express ({type(error).__name__}), for "
            "example an unquoted date: quote it."
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
