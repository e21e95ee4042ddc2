# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step looks like in Slack."""

from __future__ import annotations

import pytest
from stand_in.agent.pipeline import COMMANDS
from stand_in.dispatcher.slack_adapter import progress_text


@pytest.mark.parametrize(
    ("step", "total", "bar"),
    [(1, 9, "█░░░░░░░░░"), (5, 9, "██████░░░░"), (9, 9, "██████████"), (1, 4, "██░░░░░░░░"), (3, 4, "████████░░")],
)
def test_the_bar_is_rounded_to_even(step: int, total: int, bar: str) -> None:
    assert progress_text(step, total, "Other").splitlines()[1] == f"`[{bar}]` {step}/{total}"


def test_a_step_has_its_emoji() -> None:
    assert progress_text(2, 9, "Checking out source").startswith(":file_folder: *[2/9]* Checking out source\n")
    assert progress_text(2, 9, "Something else").startswith(":gear: *[2/9]* Something else\n")


def test_every_command_of_the_agent_has_an_emoji_of_its_own() -> None:
    assert len({progress_text(1, 9, command.label).split()[0] for command in COMMANDS.values()}) == len(COMMANDS)
