# SPDX-License-Identifier: GPL-3.0-or-later
"""Every decision is a file of one shape, and the index lists it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).resolve().parents[3] / "docs/decisions"
FILES = sorted(file for file in DECISIONS.iterdir() if file.name != "README.md")
SHAPE = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>.+)\n\nStatus: accepted, (?P<date>[\d-]{10})(?:; superseded by \d{4})?\n\n"
    r"## Context\n.+\n## Decision\n.+\n## Consequences\n.+\n",
    re.DOTALL,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_decision_has_its_shape(file):
    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+\.md", file.name)
    shape = SHAPE.fullmatch(file.read_text(encoding="utf-8"))
    assert shape
    assert shape["number"] == file.name[:4]


def test_the_index_lists_every_decision_and_no_number_twice():
    shapes = {file.name: SHAPE.match(file.read_text(encoding="utf-8")) for file in FILES}
    rows = [f"| [{name[:4]}]({name}) | {shape['title']} | {shape['date']} |" for name, shape in shapes.items() if shape]
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows
    assert [int(name[:4]) for name in shapes] == list(range(1, len(shapes) + 1))
