# SPDX-License-Identifier: GPL-3.0-or-later
"""One of a thing is not "1 things", in whatever message."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.text.counted import counted

CHECKOUT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("object",), "0 objects"),
        (1, ("object",), "1 object"),
        (2, ("object",), "2 objects"),
        (1, ("Job runs", "Jobs run"), "1 Job runs"),
        (3, ("Job runs", "Jobs run"), "3 Jobs run"),
        (0, ("reply", "replies"), "0 replies"),
    ],
)
def test_the_words_go_with_the_number(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text


def plural_after_a_length(source: str) -> list[str]:
    """Return the texts in which a length stands before a plural: one of them reads "1 things"."""
    return [
        ast.unparse(text)
        for text in ast.walk(ast.parse(source))
        if isinstance(text, ast.JoinedStr)
        for number, words in zip(text.values, text.values[1:], strict=False)
        if isinstance(number, ast.FormattedValue) and "len(" in ast.unparse(number.value)
        if isinstance(words, ast.Constant) and re.match(r" ([A-Za-z]+ ){0,2}[A-Za-z]{2,}s\b", words.value)
    ]


@pytest.mark.parametrize("kind", ["action", "callback", "filter", "lookup", "plugin_utils"])
def test_no_message_has_a_length_before_a_plural(kind: str) -> None:
    found = {
        str(file.relative_to(CHECKOUT)): texts
        for file in (CHECKOUT / "plugins" / kind).rglob("*.py")
        if (texts := plural_after_a_length(file.read_text()))
    }
    assert not found, "text/counted.py chooses the words"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{len(pods)} pods are there", True),
        ("{len(found) - 1} more places", True),
        ("{counted(len(pods), 'pod')} left", False),
        ("{len(pods)} of them", False),
        ("{len(pods)}, {len(jobs)}", False),
    ],
)
def test_a_length_before_a_plural_is_found(text: str, found: bool) -> None:
    assert bool(plural_after_a_length(f'f"{text}"')) is found
