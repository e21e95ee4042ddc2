# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of a pipeline looks like in Slack."""

from __future__ import annotations

from stand_in.app_version import AppVersion

BAR_LENGTH = 10
_STEP_EMOJIS = {
    "fetching ticket": ":ticket:",
    "checking out source": ":file_folder:",
    "loading coding principles": ":books:",
    "analyzing codebase": ":mag:",
    "generating plan": ":bulb:",
    "awaiting approval": ":white_check_mark:",
    "executing plan": ":zap:",
    "generating tests": ":test_tube:",
    "running tests": ":rotating_light:",
    "generating docs": ":memo:",
    "creating pull request": ":rocket:",
}


def progress_text(version: AppVersion, step: int, total: int, label: str) -> str:
    """Return a step's message: its number, its name and a bar. `total` is above 0."""
    filled = round(step / total * BAR_LENGTH)
    empty = BAR_LENGTH - filled
    if version.overlong_last_bar:
        empty = max(1, empty)
    emoji = f"{_STEP_EMOJIS.get(label.lower(), ':gear:')} " if version.emojis else ""
    return f"{emoji}*[{step}/{total}]* {label}\n`[{'█' * filled}{'░' * empty}]` {step}/{total}"


def starting_text(version: AppVersion, ticket: int, project: str) -> str:
    """Return the message about a job that is being spawned."""
    return f"{':rocket: ' if version.emojis else ''}Starting Agent Smith for ticket *#{ticket}* in *{project}*..."
