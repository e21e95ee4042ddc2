# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent finds ticket and project: by rules that differ from the Dispatcher's."""

from __future__ import annotations

import pytest
from stand_in.agent.user_input import NOISE_WORDS, ticket_and_project
from stand_in.configuration import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix #54 in agent-smith-test", ("54", "agent-smith-test")),
        ("fix #54 in api-v2", ("54", "api-v")),
        ("fix #54 in MyProject", ("54", "myproject")),
        ("fix #54 in 2day", ("54", "day")),
        ("fix #54 in a#1b", ("54", "ab")),
        ("Resolve Ticket 7 FOR p", ("7", "p")),
        ("p #54", ("54", "p")),
        ("54 p q", ("54", "p")),
        ("fix #054 in p", ("054", "p")),
    ],
)
def test_ticket_and_project(text: str, expected: tuple[str, str]) -> None:
    assert ticket_and_project(text) == expected


@pytest.mark.parametrize("word", sorted(NOISE_WORDS) + ["Fix", "42"])
def test_a_noise_word_is_no_project(word: str) -> None:
    with pytest.raises(ConfigurationError, match="Could not extract project name from input"):
        ticket_and_project(f"fix #54 in {word}")


def test_without_a_number_there_is_no_ticket() -> None:
    with pytest.raises(ConfigurationError, match="Could not extract ticket ID from input: 'fix p'"):
        ticket_and_project("fix p")
