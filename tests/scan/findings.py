# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner finds fault with, and the faults that exceptions.yml lets pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

FIELDS = {"scanner", "scope", "check", "object", "reason"}


@dataclass(frozen=True, order=True)
class Finding:
    """One check of one scanner that one object fails.

    `scope` is the environment whose objects were scanned, or `repository`; `object` is `Kind/name`, or a file.
    """

    scanner: str
    scope: str
    check: str
    object: str


def load_exceptions(path: Path) -> dict[Finding, str]:
    """Read the findings that may be, each with its reason. Raises ValueError on an entry that is not complete."""
    exceptions: dict[Finding, str] = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        if set(entry) != FIELDS or not all(isinstance(text, str) and text.strip() for text in entry.values()):
            raise ValueError(f"{path.name}: {entry} must have the texts {', '.join(sorted(FIELDS))}, and nothing else.")
        reason = entry.pop("reason")
        if Finding(**entry) in exceptions:
            raise ValueError(f"{path.name}: {entry} stands there twice.")
        exceptions[Finding(**entry)] = reason
    return exceptions


def judge(
    found: Iterable[Finding], exceptions: Iterable[Finding], scanner: str, scope: str
) -> tuple[list[Finding], list[Finding]]:
    """Return what was found without an exception, and the exceptions of this scanner and scope that nothing needs."""
    mine = {exception for exception in exceptions if (exception.scanner, exception.scope) == (scanner, scope)}
    return sorted(set(found) - mine), sorted(mine - set(found))
