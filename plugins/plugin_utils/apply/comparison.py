# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a live object already have what is desired? Answered from one read, without asking the server again.

The server records in ``metadata.managedFields`` which fields the last server-side apply of a field manager stated
(https://kubernetes.io/docs/reference/using-api/server-side-apply/). That record gives what no plain comparison of two
objects can: which fields were stated before and no longer are, which lists are keyed and by what, which are replaced as
a whole. An object is unchanged when the recorded fields are those of the desired object and each has its value.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..objects.equality import same_in_json
from ..objects.managed_fields import Path, key_text, recorded_fields
from ..objects.quantity import parse_quantity

# Maps whose values are quantities, and fields that are one: there `1000m` is `1`, elsewhere it is a text.
QUANTITY_MAPS = frozenset({"limits", "requests", "hard", "default", "defaultRequest", "max", "min", "capacity"})
QUANTITY_FIELDS = frozenset({"sizeLimit", "divisor"})
# What the server fills in inside lists and maps that it replaces as a whole. A field that is not stated and has the
# value that it would get anyway is no difference.
SERVER_DEFAULTS = {"protocol": "TCP", "expirationSeconds": 3600}
SERVER_DEFAULTS_BELOW = {"fieldRef": {"apiVersion": "v1"}, "resourceFieldRef": {"divisor": "0"}}


@dataclass
class Comparison:
    """The paths that differ for sure, and those of which only the server can tell (by a dry run)."""

    changed: list[Path] = field(default_factory=list)
    doubtful: list[Path] = field(default_factory=list)


def compare(desired: Mapping[str, Any], live: Mapping[str, Any]) -> Comparison:
    """Compare a desired object (as normalise_objects() returns it) with what is live."""
    result = Comparison()
    record = recorded_fields(live)
    if record.get("apiVersion", desired["apiVersion"]) != desired["apiVersion"]:
        # The names of the recorded fields are those of another version of the kind.
        result.changed.append(("apiVersion",))
        return result
    _compare_map(_without_address(desired), live, record.get("fieldsV1") or {}, (), result)
    return result


def _without_address(desired: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the server keeps no record of."""
    body = {key: value for key, value in desired.items() if key not in ("apiVersion", "kind", "metadata")}
    metadata = {key: value for key, value in desired["metadata"].items() if key not in ("name", "namespace")}
    return {**body, "metadata": metadata} if metadata else body


def _compare(desired: Any, live: Any, record: Mapping[str, Any], path: Path, result: Comparison) -> None:
    """Compare one value that the record knows. An empty record means: recorded as a whole."""
    record = {entry: below for entry, below in record.items() if entry != "."}  # "." is the value itself
    if isinstance(desired, dict) and desired and record:
        _compare_map(desired, live, record, path, result)
    elif isinstance(desired, list) and desired and record:
        if any(key.startswith("k:") for key in record):
            _compare_keyed_list(desired, live, record, path, result)
        else:
            _compare_set(desired, live, record, path, result)
    elif _is_empty(desired) and live is None:
        pass  # recorded, and left out of the stored object as all empty values are
    elif record:
        result.changed.append(path)  # a part of it was stated, now it is empty or a plain value
    else:
        verdict = _same_whole(desired, live, path)
        if verdict is None:
            result.doubtful.append(path)
        elif not verdict:
            result.changed.append(path)


def _compare_map(desired: dict[str, Any], live: Any, record: Mapping[str, Any], path: Path, result: Comparison) -> None:
    if not isinstance(live, dict):
        result.changed.append(path)
        return
    for key, value in desired.items():
        if f"f:{key}" in record:
            _compare(value, live.get(key), record[f"f:{key}"], (*path, key), result)
        elif value in ([], {}) and key not in live:
            # The server drops some empty lists and maps before it records them, such as a container's `env`
            result.doubtful.append((*path, key))
        else:
            result.changed.append((*path, key))
    for entry in record:
        if entry.startswith("f:") and entry[2:] not in desired:
            result.changed.append((*path, entry[2:]))


def _compare_keyed_list(
    desired: list[Any], live: Any, record: Mapping[str, Any], path: Path, result: Comparison
) -> None:
    """Compare a list whose entries are told apart by key fields, such as containers by name."""
    keys = {entry: json.loads(entry[2:]) for entry in record if entry.startswith("k:")}
    live_entries = live if isinstance(live, list) else []
    positions: list[int] = []
    for item in desired:
        entry = _entry_of(item, keys)
        if entry is None:
            names = {name for key in record if key.startswith("k:") for name in json.loads(key[2:])}
            shown = {name: item[name] for name in sorted(names) if isinstance(item, dict) and name in item}
            result.changed.append((*path, key_text(shown)))
            continue
        key = keys.pop(entry)
        item_path = (*path, key_text(key))
        position = next((at for at, found in enumerate(live_entries) if _has_key(found, key)), None)
        if position is None:
            result.changed.append(item_path)
            continue
        positions.append(position)
        _compare(item, live_entries[position], _without_own_key(record[entry], item, key), item_path, result)
    result.changed.extend((*path, key_text(key)) for key in keys.values())
    if positions != sorted(positions):
        result.changed.append(path)  # the order counts: environment variables refer to earlier ones


def _entry_of(item: Any, keys: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Find the recorded entry of a list item. A key field that the item leaves out stands for its default."""
    if not isinstance(item, dict):
        return None
    candidates = [
        entry for entry, key in keys.items() if all(item.get(name, value) == value for name, value in key.items())
    ]
    by_default = [
        entry
        for entry in candidates
        if all(name in item or SERVER_DEFAULTS.get(name) == value for name, value in keys[entry].items())
    ]
    chosen = by_default or candidates
    return chosen[0] if len(chosen) == 1 else None


def _without_own_key(record: Mapping[str, Any], item: Mapping[str, Any], key: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the key fields that the item leaves to their default."""
    return {name: value for name, value in record.items() if not (name[2:] in key and name[2:] not in item)}


def _compare_set(desired: list[Any], live: Any, record: Mapping[str, Any], path: Path, result: Comparison) -> None:
    """Compare a list of distinct plain values, such as finalizers; others may add theirs."""
    stated = [json.loads(entry[2:]) for entry in record if entry.startswith("v:")]
    found = live if isinstance(live, list) else []
    if any(value not in desired for value in stated) or [value for value in found if value in desired] != desired:
        result.changed.append(path)


def _same_whole(desired: Any, live: Any, path: Path) -> bool | None:
    """Compare a value that is replaced as a whole. None means that it depends on a default that is not known here."""
    if isinstance(desired, dict) and isinstance(live, dict):
        verdicts = [_same_member(key, value, live, path) for key, value in desired.items()]
        verdicts += [_is_default(key, value, path) for key, value in live.items() if key not in desired]
        return _all(verdicts)
    if isinstance(desired, list) and isinstance(live, list):
        if len(desired) != len(live):
            # An empty list may stand beside the entries of others.
            return False if desired else None
        return _all(_same_whole(*pair, path) for pair in zip(desired, live, strict=True))
    return _same_value(desired, live, path)


def _same_member(key: str, value: Any, live: Mapping[str, Any], path: Path) -> bool | None:
    if key in live:
        return _same_whole(value, live[key], (*path, key))
    # The server leaves out most empty values, but not all: an explicit false can mean something else than none.
    return None if _is_empty(value) else False


def _is_default(key: str, value: Any, path: Path) -> bool | None:
    defaults = {**SERVER_DEFAULTS, **SERVER_DEFAULTS_BELOW.get(path[-1] if path else "", {})}
    return True if key in defaults and defaults[key] == value else None


def _same_value(desired: Any, live: Any, path: Path) -> bool:
    if same_in_json(desired, live):
        return True
    is_quantity = bool(path) and (path[-1] in QUANTITY_FIELDS or (len(path) > 1 and path[-2] in QUANTITY_MAPS))
    if is_quantity and isinstance(live, str) and isinstance(desired, str | int | float):
        try:
            return bool(parse_quantity(desired) == parse_quantity(live))
        except ValueError:
            return False
    return False


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    known = list(verdicts)
    if False in known:
        return False
    return None if None in known else True


def _is_empty(value: Any) -> bool:
    return value in ("", 0, False) or value == [] or value == {}


def _has_key(found: Any, key: Mapping[str, Any]) -> bool:
    return isinstance(found, dict) and all(
        found.get(name, SERVER_DEFAULTS.get(name)) == value for name, value in key.items()
    )
