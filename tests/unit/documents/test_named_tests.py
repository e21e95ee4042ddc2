# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests that documents name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
# A file, and the name of a test in it
NAMED = re.compile(r"`((?:tests|molecule)/[\w/]+\.py)(?:::(\w+))?`")


def named_in(document: Path) -> set[tuple[str, str]]:
    return set(NAMED.findall(document.read_text(encoding="utf-8")))


def test_hardening_names_its_proofs():
    assert len({test for _, test in named_in(CHECKOUT / "docs/hardening.md") if test}) > 50


def test_every_row_about_the_real_app_names_a_test_or_says_why_not():
    text = (CHECKOUT / "docs/reference/real-app.md").read_text(encoding="utf-8")
    rows = [line.rstrip(" |").split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[0].strip("| ")) for row in rows] == list(range(1, 19))
    assert [row[0] for row in rows if not NAMED.search(row[-1]) and row[-1] != "not testable here"] == []


@pytest.mark.parametrize(("file", "test"), sorted({named for document in DOCUMENTS for named in named_in(document)}))
def test_a_named_test_is_there(file, test):
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in text
