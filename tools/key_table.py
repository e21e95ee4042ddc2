# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of keys on the reference page: who reads a key, its limits, and where the app shows it.

To write it to stdout:

    PYTHONPATH=.collections .venv/bin/python tools/key_table.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import (
    FINE,
    ROOT,
    Choice,
    Integer,
    Key,
    MapOf,
    Record,
    Text,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.usage import ALWAYS, NOBODY

_ALL = ALWAYS.by
_ABSENT = "not read"


def key_table() -> str:
    """The table as Markdown."""
    header = "| key | read by | limits | source in the app | in 0.9.2 |\n|---|---|---|---|---|\n"
    return header + "".join(f"| `{path}` | {' | '.join(cells)} |\n" for path, cells in _rows(ROOT, "", _ALL, _ALL))


def _rows(record: Record, path: str, above: str, above_newer: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The path of each key, and its cells. `above`, `above_newer`: who reads the record; nobody if it is not there."""
    for name, key in (record.keys | record.newer).items():
        own = f"{path}.{name}" if path else name
        by, newer = _reader(key, above), key.newer
        if name in record.newer or above == _ABSENT:
            by, newer = _ABSENT, key
        second, by_newer = ("", _reader(key, above_newer)) if newer is None else _second(newer, by, above_newer)
        yield own, (by, "-" if by == _ABSENT else _limits(key), key.source, second)
        kind: Any = key.kind
        if isinstance(kind, MapOf):
            own, kind = f"{own}.*", kind.item
        if isinstance(kind, Record):
            yield from _rows(kind, own, by, by_newer)


def _reader(key: Key, above: str) -> str:
    """Who reads a key: who reads the record that it is in, under the key's own condition."""
    if key.read is ALWAYS or above in (_ABSENT, NOBODY.by) or above.endswith(key.read.by):
        return above
    if key.read is NOBODY or above == _ALL or "Command" in key.read.by:
        return key.read.by
    return f"{above}; {key.read.by}"


def _second(newer: Key | str, by: str, above: str) -> tuple[str, str]:
    """The cell that says where 0.9.2 reads the key otherwise, and who then reads it."""
    if isinstance(newer, str):
        return (f"{_ABSENT}; `{newer}` instead" if newer else _ABSENT), _ABSENT
    reader = _reader(newer, above)
    return "; ".join(part for part in (reader, _limits(newer), newer.source if by != _ABSENT else "") if part), reader


def _limits(key: Key) -> str:
    kind = key.kind
    parts = [f"one of {', '.join(kind.values)}" if isinstance(kind, Choice) else kind.noun]
    if isinstance(kind, Integer) and kind.minimum is not None:
        parts.append("not 0" if kind.only_zero else f"at least {kind.minimum}")
    elif isinstance(kind, Text) and kind.empty != FINE:
        parts.append("not empty")
    if key.required:
        parts.append("needed")
    if key.null_counts_as is not None:
        parts.append(f"null counts as {key.null_counts_as}")
    if key.default not in (None, "", {}):
        parts.append(f"default {_shown(key.default)}")
    return ", ".join(parts)


def _shown(default: object) -> str:
    if isinstance(default, dict):
        return " with ".join((default["model"], f"{default['max_tokens']} tokens"))
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    sys.stdout.write(key_table())
