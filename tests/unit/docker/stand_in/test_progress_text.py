# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step looks like in Slack, and the message before the first one."""

from __future__ import annotations

import pytest
from stand_in.agent.commands import COMMANDS
from stand_in.app_version import DEFAULT, app_version
from stand_in.dispatcher.progress_text import progress_text, starting_text

LATER = app_version({"STAND_IN_APP": "0.9.2"})


@pytest.mark.parametrize(
    ("step", "total", "bar"),
    [(1, 9, "█░░░░░░░░░"), (5, 9, "██████░░░░"), (1, 4, "██░░░░░░░░"), (3, 4, "████████░░"), (1, 100, "░░░░░░░░░░")],
)
def test_the_bar_is_rounded_to_even(step: int, total: int, bar: str) -> None:
    for version in (DEFAULT, LATER):
        assert progress_text(version, step, total, "Other").splitlines()[1] == f"`[{bar}]` {step}/{total}"


@pytest.mark.parametrize(("step", "total"), [(9, 9), (1, 1), (99, 100)])
def test_a_full_bar_is_one_too_long(step: int, total: int) -> None:
    assert progress_text(DEFAULT, step, total, "Other").splitlines()[1] == f"`[██████████░]` {step}/{total}"
    assert progress_text(LATER, step, total, "Other").splitlines()[1] == f"`[██████████]` {step}/{total}"


def test_a_step_has_its_emoji() -> None:
    assert progress_text(DEFAULT, 2, 9, "Checking out source").startswith(":file_folder: *[2/9]* Checking out source\n")
    assert progress_text(DEFAULT, 2, 9, "Something else").startswith(":gear: *[2/9]* Something else\n")
    assert progress_text(LATER, 2, 9, "Checking out source").startswith("*[2/9]* Checking out source\n")


def test_every_command_of_the_agent_has_an_emoji_of_its_own() -> None:
    emojis = {progress_text(DEFAULT, 1, 9, command.label).split()[0] for command in COMMANDS.values()}
    assert len(emojis) == len(COMMANDS)


def test_the_start() -> None:
    assert starting_text(DEFAULT, 54, "p") == ":rocket: Starting Agent Smith for ticket *#54* in *p*..."
    assert starting_text(LATER, 54, "p") == "Starting Agent Smith for ticket *#54* in *p*..."
