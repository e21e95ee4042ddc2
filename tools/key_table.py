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
    FAILS,
    ROOT,
    Choice,
    Integer,
    Key,
    ListOf,
    MapOf,
    Record,
    Text,
)


def key_table() -> str:
    """The table as Markdown."""
    header = "| key | read by | limits | class or method of the app |\n|---|---|---|---|\n"
    return header + "".join(
        f"| `{path}` | {key.read.by} | {_limits(key)} | {key.source} |\n" for path, key in _keys(ROOT, "")
    )


def _keys(record: Record, path: str) -> Iterator[tuple[str, Key]]:
    for name, key in record.keys.items():
        own = f"{path}.{name}" if path else name
        yield own, key
        kind: Any = key.kind
        if isinstance(kind, MapOf):
            own, kind = f"{own}.*", kind.item
        if isinstance(kind, Record):
            yield from _keys(kind, own)


def _limits(key: Key) -> str:
    kind = key.kind
    parts = []
    if isinstance(kind, Choice):
        parts.append(f"one of {', '.join(kind.values)}")
    elif isinstance(kind, Integer) and kind.minimum is not None:
        parts.append("not 0" if kind.only_zero else f"at least {kind.minimum}")
    elif isinstance(kind, ListOf):
        parts.append("a list")
    elif isinstance(kind, Text) and kind.empty == FAILS:
        parts.append("not empty")
    elif not isinstance(kind, Record | MapOf | Text):
        parts.append(kind.noun)
    if key.required:
        parts.append("needed")
    if key.default not in (None, "", {}):
        default = key.default
        parts.append(f"default {default['model'] if isinstance(default, dict) else str(default).lower()}")
    return ", ".join(parts)


if __name__ == "__main__":
    sys.stdout.write(key_table())
