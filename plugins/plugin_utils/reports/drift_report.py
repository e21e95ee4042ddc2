# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison of the cluster with the release has found: as data, and as one screen for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ..objects.managed_fields import FIELD_MANAGER
from ..text.one_line import one_line
from ..text.text_table import aligned

MISSING = "missing"
CHANGED = "changed"
EXTRA = "extra"
TERMINATING = "terminating"

# On the screen; the result has all of it.
ROWS_SHOWN = 40
VALUE_WIDTH = 44  # characters


@dataclass(frozen=True)
class FieldDrift:
    """A field that is not as the release has it. A side that has no such field is None.

    ``manager`` and what follows tell who wrote the live value and when; they are empty where nobody owns the field,
    as after its removal. ``restored``: whether the next deploy sets it back; it keeps what the release does not state.
    """

    path: str
    wanted: Any
    live: Any
    restored: bool
    manager: str = ""
    operation: str = ""
    subresource: str = ""
    time: str = ""

    @property
    def who(self) -> str:
        """The field manager, for people."""
        if self.manager == FIELD_MANAGER:
            return f"{self.manager}: not deployed yet"
        return f"{self.manager} ({self.subresource})" if self.subresource else self.manager or "unknown"


@dataclass(frozen=True)
class ObjectDrift:
    """An object that is not as the release has it. ``state`` is MISSING, CHANGED, EXTRA or TERMINATING."""

    api_version: str
    kind: str
    namespace: str
    name: str
    state: str
    fields: list[FieldDrift] = field(default_factory=list)


@dataclass(frozen=True)
class DriftReport:
    """All that differs. ``not_looked_at``: kinds that cannot be listed, so that extra objects of them stay unseen."""

    namespace: str
    server: str
    compared: int
    objects: list[ObjectDrift]
    not_looked_at: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For a module's result, and as JSON."""
        return {"in_sync": not self.objects, **asdict(self)}

    @property
    def summary(self) -> str:
        """One line."""
        counts = {state: sum(item.state == state for item in self.objects) for state in (CHANGED, MISSING, EXTRA)}
        terminating = sum(item.state == TERMINATING for item in self.objects)
        if not self.objects:
            return f"No drift: all {self.compared} objects of the release match the inventory."
        parts = [f"{count} {state}" for state, count in [*counts.items(), (TERMINATING, terminating)] if count]
        fields = sum(len(item.fields) for item in self.objects)
        return f"Drift: of the objects in {self.namespace}, {', '.join(parts)} ({fields} fields)."

    def as_text(self) -> str:
        """Return one screen."""
        lines = [f"Namespace {self.namespace} on {self.server}", ""]
        rows = [row for item in self.objects for row in _rows(item)]
        if rows:
            lines += aligned([["OBJECT", "FIELD", "WANTED", "LIVE", "WHO", "WHEN"], *rows[:ROWS_SHOWN]])
            if len(rows) > ROWS_SHOWN:
                lines.append(f"and {len(rows) - ROWS_SHOWN} more")
            lines.append("")
        lines.append(self.summary)
        if any(not entry.restored for item in self.objects for entry in item.fields):
            lines.append(
                "The release does not set the fields marked with +, so a deploy keeps them. Remove them by hand."
            )
        if self.not_looked_at:
            lines.append(
                "Objects of these kinds cannot be listed, so extra ones may be missing here: "
                f"{', '.join(self.not_looked_at)}."
            )
        return "\n".join(lines)


def _rows(item: ObjectDrift) -> list[list[str]]:
    name = f"{item.kind} {item.name}"
    if item.state != CHANGED:
        said = {
            MISSING: "does not exist",
            EXTRA: "has the labels of the release, but is not part of it",
            TERMINATING: "is being deleted",
        }
        return [[name, said[item.state], "", "", "", ""]]
    rows: list[list[str]] = []
    for entry in item.fields:
        wanted, live = _cells(entry.wanted, entry.live)
        path = entry.path if entry.restored else f"+ {entry.path}"
        rows.append(["" if rows else name, path, wanted, live, entry.who, entry.time])
    return rows


def _cells(wanted: Any, live: Any) -> tuple[str, str]:
    """Return two values in a cell each; of texts with several lines the first line that differs."""
    if isinstance(wanted, str) and isinstance(live, str) and "\n" in wanted + live:
        ours, theirs = wanted.splitlines(), live.splitlines()
        at = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
        at = min(len(ours), len(theirs)) if at is None else at
        cell_of = (_cell(f"line {at + 1}: {lines[at] if at < len(lines) else '(end)'}") for lines in (ours, theirs))
        return next(cell_of), next(cell_of)
    return _cell(wanted), _cell(live)


def _cell(value: Any) -> str:
    text = "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, VALUE_WIDTH) or '""'
