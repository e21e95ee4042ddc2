# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison of the cluster with the release has found: as data, and as one screen for people."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ..objects.managed_fields import FIELD_MANAGER
from ..text.counted import counted
from ..text.one_line import one_line
from ..text.text_table import aligned

MISSING = "missing"
CHANGED = "changed"
KEPT = "kept"
EXTRA = "extra"
TERMINATING = "terminating"

# On the screen; the result has all of it.
ROWS_SHOWN = 40
VALUE_WIDTH = 44  # characters


@dataclass(frozen=True)
class FieldDrift:
    """A field that is not as the release has it. A side that has no such field is None.

    ``manager`` and what follows tell who wrote the live value and when; they are empty where nobody owns the field,
    as after its removal, or after admission. ``restored``: whether the next deploy sets it back. It keeps what the
    release does not state, and what admission would rewrite again.
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
        if not self.manager:
            return "unknown" if self.restored else "admission"
        return f"{self.manager} ({self.subresource})" if self.subresource else self.manager


@dataclass(frozen=True)
class ObjectDrift:
    """An object that is not as the release has it. ``state`` is MISSING, CHANGED, KEPT, EXTRA or TERMINATING.

    KEPT: others have changed it, and a deploy keeps all that they did.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    state: str
    fields: list[FieldDrift] = field(default_factory=list)


@dataclass(frozen=True)
class DriftReport:
    """All that differs. ``not_looked_at``: kinds that cannot be listed, so that extra objects of them stay unseen.

    ``ignored``: what differs and is not to be reported.
    """

    namespace: str
    server: str
    compared: int
    objects: list[ObjectDrift]
    not_looked_at: list[str]
    ignored: list[ObjectDrift] = field(default_factory=list)

    @property
    def in_sync(self) -> bool:
        """Tell whether a deploy would change nothing."""
        return all(item.state == KEPT for item in self.objects)

    @property
    def _kept(self) -> list[tuple[ObjectDrift, list[FieldDrift]]]:
        found = [(item, [entry for entry in item.fields if not entry.restored]) for item in self.objects]
        return [(item, fields) for item, fields in found if fields]

    def as_dict(self) -> dict[str, Any]:
        """For a module's result, and as JSON."""
        return {"in_sync": self.in_sync, **asdict(self)}

    @property
    def summary(self) -> str:
        """One line."""
        kept = sum(len(fields) for _item, fields in self._kept)
        others = f" Others changed {counted(kept, 'field')}, which a deploy keeps." if kept else ""
        if self.in_sync:
            compared = counted(self.compared, "object of the release matches", "objects of the release match")
            return f"No drift: {'all ' if self.compared > 1 else ''}{compared} the inventory.{others}"
        counts = {
            state: sum(item.state == state for item in self.objects) for state in (CHANGED, MISSING, EXTRA, TERMINATING)
        }
        parts = [f"{count} {state}" for state, count in counts.items() if count]
        fields = sum(len(item.fields) for item in self.objects) - kept
        return f"Drift: of the objects in {self.namespace}, {', '.join(parts)} ({counted(fields, 'field')}).{others}"

    def as_text(self) -> str:
        """Return one screen."""
        lines = [f"Namespace {self.namespace} on {self.server}", ""]
        to_change = [(item, [entry for entry in item.fields if entry.restored]) for item in self.objects]
        lines += _table("", [row for item, fields in to_change if item.state != KEPT for row in _rows(item, fields)])
        lines += _table(
            "Others changed these fields, and a deploy keeps them. The release does not set those marked with +. "
            "Remove them by hand if nobody needs them.",
            [row for item, fields in self._kept for row in _field_rows(item, fields)],
        )
        if self.ignored:
            fields = sum(len(item.fields) for item in self.ignored)
            lines += [f"Ignored (drift_ignore_managers, drift_ignore_paths): {counted(fields, 'field')}.", ""]
        lines.append(self.summary)
        if self.not_looked_at:
            lines.append(
                "Objects of these kinds cannot be listed, so extra ones may be missing here: "
                f"{', '.join(self.not_looked_at)}."
            )
        return "\n".join(lines)


def _table(title: str, rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    shown = aligned([["OBJECT", "FIELD", "WANTED", "LIVE", "WHO", "WHEN"], *rows[:ROWS_SHOWN]])
    more = [f"and {len(rows) - ROWS_SHOWN} more"] if len(rows) > ROWS_SHOWN else []
    return [*([title] if title else []), *shown, *more, ""]


def _rows(item: ObjectDrift, fields: list[FieldDrift]) -> list[list[str]]:
    if item.state != CHANGED:
        said = {
            MISSING: "does not exist",
            EXTRA: "has the labels of the release, but is not part of it",
            TERMINATING: "is being deleted",
        }
        return [[f"{item.kind} {item.name}", said[item.state], "", "", "", ""]]
    return _field_rows(item, fields)


def _field_rows(item: ObjectDrift, fields: list[FieldDrift]) -> list[list[str]]:
    rows: list[list[str]] = []
    for entry in fields:
        wanted, live = _cells(entry.wanted, entry.live)
        path = f"+ {entry.path}" if entry.wanted is None and not entry.restored else entry.path
        rows.append(["" if rows else f"{item.kind} {item.name}", path, wanted, live, entry.who, entry.time])
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
