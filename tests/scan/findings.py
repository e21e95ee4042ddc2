# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner finds fault with, the faults that exceptions.yml lets pass, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import yaml


@dataclass(frozen=True, order=True)
class Finding:
    """One check of one scanner that one object fails.

    `scope` is the environment whose objects were scanned, or `repository`; `object` is `Kind/name`, or a file.
    """

    scanner: str
    scope: str
    check: str
    object: str


@dataclass(frozen=True)
class Skip:
    """What a scanner leaves out of a scope: a `detector` by name, or each `line` or `secret` that fits a pattern."""

    scanner: str
    scope: str
    skip: str
    what: str


Entry = TypeVar("Entry", Finding, Skip)


def load_exceptions(path: Path) -> dict[Finding, str]:
    """Read the findings that may be, each with its reason. Raises ValueError on an entry that is not complete."""
    return _load(path, Finding)


def load_skips(path: Path) -> dict[Skip, str]:
    """Read what is left out, each with its reason. Raises ValueError on an entry that is not complete."""
    return _load(path, Skip)


def _load(path: Path, kind: type[Entry]) -> dict[Entry, str]:
    names = {"reason", *(field.name for field in fields(kind))}
    entries: dict[Entry, str] = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        if ("skip" in entry) != (kind is Skip):
            continue
        if set(entry) != names or not all(isinstance(text, str) and text.strip() for text in entry.values()):
            raise ValueError(f"{path.name}: {entry} must have the texts {', '.join(sorted(names))}, and nothing else.")
        reason = entry.pop("reason")
        if kind(**entry) in entries:
            raise ValueError(f"{path.name}: {entry} stands there twice.")
        entries[kind(**entry)] = reason
    return entries


def judge(
    found: Iterable[Finding], exceptions: Iterable[Finding], scanner: str, scope: str
) -> tuple[list[Finding], list[Finding]]:
    """Return what was found without an exception, and the exceptions of this scanner and scope that nothing needs."""
    mine = {exception for exception in exceptions if (exception.scanner, exception.scope) == (scanner, scope)}
    return sorted(set(found) - mine), sorted(mine - set(found))
