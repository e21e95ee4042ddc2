# SPDX-License-Identifier: GPL-3.0-or-later
"""The message about a job that has failed, with its buttons."""

from __future__ import annotations

from dataclasses import dataclass

from stand_in.dispatcher.error_reason import reason_of
from stand_in.dispatcher.slack_blocks import Block, actions, button, section

RETRY = "retry"
CONTACT = "contact"
PREFIX = "error"
"""What the actions of all buttons here begin with."""


@dataclass(frozen=True)
class Failure:
    """A job that has failed; `message` is what its agent has reported."""

    job_id: str
    ticket: int
    project: str
    message: str


@dataclass(frozen=True)
class FailureButtons:
    """What the environment says of the buttons: LOG_BASE_URL and OWNER_SLACK_USER_ID. Empty: no such button."""

    log_base_url: str = ""
    owner: str = ""


def failure_text(failure: Failure) -> str:
    """Return the message's text, which does not have the reason."""
    return f":x: Agent Smith failed — ticket #{failure.ticket} in {failure.project}"


def failure_blocks(failure: Failure, buttons: FailureButtons) -> list[Block]:
    """Return what people see of it."""
    heading = f":x: *Agent Smith failed* — ticket *#{failure.ticket}* in *{failure.project}*"
    retry = button(f"{PREFIX}:{RETRY}", "Retry", style="primary", value=f"{failure.ticket}:{failure.project}")
    others = []
    if buttons.log_base_url:
        url = f"{buttons.log_base_url.rstrip('/')}/agentsmith-{failure.job_id}"
        others.append(button(f"{PREFIX}:logs", "View Logs", url=url))
    if buttons.owner:
        others.append(button(f"{PREFIX}:{CONTACT}", "Contact Owner", value=buttons.owner))
    return [
        section(f"{heading}\n*Reason:* {reason_of(failure.message)}"),
        actions(f"error_actions:{failure.job_id}", retry, *others),
    ]
