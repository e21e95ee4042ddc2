# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the tables of fields in docs/deviations.md with what the seed, upstream and this project state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml
from object_fields import Fields, below, flattened

ENVIRONMENTS = ("dev", "prod")
WHOLE = "the object"
"""In place of a field: the object is on one side alone."""
ABSENT = "-"
SAME = "same"

MEANT: dict[str, Callable[[str, Fields, str], object]] = {
    "the object's own name": lambda name, _fields, _place: name.split("/")[1],
    "those of the Deployment": lambda _name, fields, place: fields.get(place.removeprefix("spec.template.")),
}
"""Words for a value that depends on the object: its name, its fields and the place tell it."""

Table = dict[str, Fields]
"""By kind and name of the object."""
Difference = tuple[str, str]
"""An object and a field in it."""


@dataclass(frozen=True)
class Sides:
    """What each side states in one environment."""

    seed: Table
    upstream: Table
    here: Table

    def differences(self) -> set[Difference]:
        """Return where the three do not agree.

        An object that one side alone has is one difference. What differs because of fields below it is left out.
        """
        found = set()
        for name in self.seed | self.upstream | self.here:
            if (name in self.here) != (name in self.seed | self.upstream):
                found.add((name, WHOLE))
                continue
            tables = [table.get(name, {}) for table in vars(self).values()]
            differing = {
                field
                for field in {field for table in tables for field in table}
                if len({repr(table.get(field, ABSENT)) for table in tables}) > 1
            }
            above = {field[:end] for field in differing for end in range(len(field)) if field[end] in ".["}
            found |= {(name, field) for field in differing - above}
        return found


@dataclass(frozen=True)
class Claim:
    """What a row is about: an object, and a field with everything below it."""

    object: str
    field: str

    def match(self, name: str, field: str) -> str | None:
        """Return the place that the claim means in this object, if it is about the field."""
        pattern = re.compile(f"({_pattern(self.field)})(?:[.[].*)?")
        found = re.fullmatch(_pattern(self.object), name) and pattern.fullmatch(field)
        return found[1] if found else None


@dataclass(frozen=True)
class Row:
    line: int
    environments: tuple[str, ...]
    claims: list[Claim]
    cells: dict[str, str]  # what the page says of each side


def _pattern(text: str) -> str:
    return re.escape(text).replace(r"\*", r"[^][]*")


def rows(page: str) -> list[Row]:
    """Read the tables that have an object and a field in each row. A heading may name the inventory they hold for."""
    found = []
    environments, columns = ENVIRONMENTS, []
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("#"):
            environments = tuple(name for name in ENVIRONMENTS if f"`inventories/{name}`" in line) or ENVIRONMENTS
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        columns = columns or cells
        if columns[:2] != ["object", "field"] or not cells[0].startswith("`"):
            continue
        objects, fields, seed, upstream, here, _why = cells
        claims = [
            Claim(name, field)
            for name in re.findall("`([^`]+)`", objects)
            for field in ([WHOLE] if fields == WHOLE else re.findall("`([^`]+)`", fields))
        ]
        found.append(Row(number, environments, claims, {"seed": seed, "upstream": upstream, "here": here}))
    return found


def wrong(sides: dict[str, Sides], page: str) -> list[str]:
    """Return what the page does not list, and what it lists although it is not so."""
    problems = []
    for environment, side in sides.items():
        differences = side.differences()
        listed = set()
        for row in rows(page):
            if environment in row.environments:
                for claim in row.claims:
                    claimed, found = check(row, claim, side, differences)
                    twice = [f"{name} {field} is in another row, too" for name, field in sorted(claimed & listed)]
                    problems += [f"line {row.line}, {environment}: {problem}" for problem in found + twice]
                    listed |= claimed
        for name, field in sorted(differences - listed):
            values = (f"{label} {shown(table, name, field)}" for label, table in vars(side).items())
            problems.append(f"no row, {environment}: {name} {field}: {', '.join(values)}")
    return problems


def shown(table: Table, name: str, field: str) -> str:
    if field == WHOLE:
        return "has it" if name in table else ABSENT
    return repr(table.get(name, {}).get(field, ABSENT))


def check(row: Row, claim: Claim, side: Sides, differences: set[Difference]) -> tuple[set[Difference], list[str]]:
    """Return the differences that the row is about, and what it gets wrong."""
    places = {(name, field): place for name, field in differences if (place := claim.match(name, field))}
    if not places:
        return set(), [f"{claim.object} {claim.field} is no difference"]
    meant = sorted({(name, place) for (name, _field), place in places.items()})
    problems = [problem for name, place in meant for problem in wrong_cells(row, side, name, place)]
    if claim.field != WHOLE and "*" not in claim.field and row.cells["here"] != ABSENT:
        lost = [f"{name} {place}" for name, place in meant if not below(side.here.get(name, {}), place)]
        problems += [f"{what}: not there, but the page says {row.cells['here']}" for what in lost]
    return set(places), problems


def wrong_cells(row: Row, side: Sides, name: str, place: str) -> Iterator[str]:
    """Yield the cells that state something else than is so.

    Words other than those in MEANT are not compared, so they may stand for one value only, unless another side is the
    same.
    """
    for label, table in vars(side).items():
        cell = row.cells[label]
        if place == WHOLE:
            if (name in table) != (cell != ABSENT):
                yield f"{name} {WHOLE}: {label} {shown(table, name, WHOLE)}, but the page says {cell}"
            continue
        actual = below(table.get(name, {}), place)
        if cell == ABSENT:
            expected = {}
        elif cell == SAME:
            expected = below(side.here.get(name, {}), place)
        elif cell in MEANT:
            expected = {"": MEANT[cell](name, table.get(name, {}), place)}
        elif code := re.fullmatch("`([^`]+)`", cell):
            expected = flattened(yaml.safe_load(code[1]))
        elif actual.keys() <= {""} or SAME in row.cells.values():
            continue
        else:
            yield f"{name} {place}: {label} has the fields {sorted(actual)}, but the page has no value: {cell}"
            continue
        if actual != expected:
            yield f"{name} {place}: {label} is {actual}, but the page says {cell}"
