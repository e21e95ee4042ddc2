# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a job that has failed, and what its buttons do."""

from __future__ import annotations

import pytest
from stand_in.dispatcher.chat_intent import FixTicket
from stand_in.dispatcher.error_actions import retried
from stand_in.dispatcher.error_reason import reason_of
from stand_in.dispatcher.failure_message import Failure, FailureButtons, failure_blocks, failure_text

FAILURE = Failure("0123456789ab", 14, "myproj", "Plan rejected by user")


def test_the_text_has_no_reason() -> None:
    assert failure_text(FAILURE) == ":x: Agent Smith failed — ticket #14 in myproj"


def test_the_blocks_have_the_reason_and_a_button_to_retry() -> None:
    section, actions = failure_blocks(FAILURE, FailureButtons())
    text = ":x: *Agent Smith failed* — ticket *#14* in *myproj*\n*Reason:* Plan rejected by user"
    assert section == {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    retry = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Retry"},
        "style": "primary",
        "value": "14:myproj",
        "action_id": "error:retry",
    }
    assert actions == {"type": "actions", "block_id": "error_actions:0123456789ab", "elements": [retry]}


@pytest.mark.parametrize("base", ["https://logs.example.com/jobs", "https://logs.example.com/jobs/"])
def test_the_buttons_that_the_environment_asks_for(base: str) -> None:
    (*_others, actions) = failure_blocks(FAILURE, FailureButtons(base, "U0OWNER"))
    assert [button["text"]["text"] for button in actions["elements"]] == ["Retry", "View Logs", "Contact Owner"]
    _retry, logs, contact = actions["elements"]
    assert (logs["action_id"], logs["url"]) == ("error:logs", "https://logs.example.com/jobs/agentsmith-0123456789ab")
    assert "value" not in logs
    assert (contact["action_id"], contact["value"]) == ("error:contact", "U0OWNER")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("TF401179: there is one", "A pull request for this branch already exists."),
        ("cannot push non-fastforwardable reference", "The remote branch has conflicting history. Try again."),
        ("Connection refused (x:1)", "Could not reach a required service. Check network connectivity."),
        ("HTTP 401 (invalid_api_key)", "Authentication failed. Check your API tokens."),
        ("403 Forbidden", "Permission denied. Check token scopes."),
        ("Error 529: overloaded", "AI provider rate limit hit. Wait a moment and retry."),
        ("Ticket not found", "A required resource was not found. Check ticket number and project name."),
        ("The operation timed out", "The operation timed out. The service may be slow — try again."),
        ("No test framework detected", "No test framework found in the repository. Tests were skipped."),
        # The first that fits wins.
        ("404 for unauthorized clients", "Authentication failed. Check your API tokens."),
        ("non-FASTFORWARDABLE", "non-FASTFORWARDABLE"),
        ("Required environment variable 'X' is not set.", "Required environment variable 'X' is not set."),
        (" first \nsecond", "first"),
        ("x" * 120, "x" * 120),
        ("x" * 121, "x" * 120 + "..."),
    ],
)
def test_reasons(message: str, reason: str) -> None:
    assert reason_of(message) == reason


@pytest.mark.parametrize(
    ("value", "intent"),
    [
        ("54:p", FixTicket(54, "p")),
        ("54:p:q", FixTicket(54, "p:q")),
        *((value, None) for value in ("", "54", "54:", ":p", "x:p", "2147483648:p", "-1:p")),
    ],
)
def test_what_is_retried(value: str, intent: FixTicket | None) -> None:
    assert retried(value) == intent
