# SPDX-License-Identifier: GPL-3.0-or-later
"""What of people's messages is in the Dispatcher's log, and that four variables keep it out."""

from __future__ import annotations

import pytest
from stand_in_platform import Platform

QUIET = {
    f"Logging__LogLevel__{category}": "Warning"
    for category in (
        "Microsoft.AspNetCore",
        "System.Net.Http.HttpClient",
        "AgentSmith.Dispatcher.SlackEvents",
        "AgentSmith.Dispatcher.Services.ChatIntentParser",
    )
}
# Of a Dispatcher with ANTHROPIC_API_KEY, which asks a language model about what it does not understand.
QUIET_ABOUT_FREE_TEXT = {"Logging__LogLevel__AgentSmith.Dispatcher.Services.HaikuIntentParser": "Error"}
MARKED = "text-that-is-looked-for"


def converse(platform: Platform) -> None:
    """Hold conversations of every kind, and wait for their ends."""
    platform.person.say(f"help {MARKED}")
    platform.person.await_message("I didn't understand")
    platform.person.say(f'create ticket "{MARKED}" in short')
    platform.person.await_message("not supported")
    platform.person.say("list tickets in short")
    platform.person.await_message("No open tickets")
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")


def test_a_message_is_logged_three_times(platform: Platform) -> None:
    platform.person.say(f"help {MARKED}")
    platform.person.await_message("I didn't understand")
    lines = [line.strip() for line in platform.dispatcher.output.splitlines() if MARKED in line]
    assert [line.split(" ")[0] for line in lines] == ["Slack", "Dispatching", "Parsed"]
    assert lines[0].startswith("Slack event body (")
    assert lines[1].startswith(f"Dispatching Slack message: text=help {MARKED}, user=U0PERSON, channel=")
    assert lines[2] == f"Parsed intent UnknownIntent from 'help {MARKED}'"


def test_no_text_of_a_message_is_logged_if_the_log_levels_say_so(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(**QUIET)
    converse(platform)
    # Its last line, which comes after the message in Slack. What an operator looks for is still there.
    platform.dispatcher.expect("completed successfully for channel")
    output = platform.dispatcher.output
    assert MARKED not in output
    assert "list tickets" not in output
    assert "Spawned K8s Job agentsmith-" in output


@pytest.mark.stand_in_only("it has no language model, so that every question to one fails")
def test_a_text_that_the_language_model_is_asked_about_needs_one_more_level(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(ANTHROPIC_API_KEY="key-of-these-tests", **QUIET)
    platform.person.say(f"help {MARKED}")
    platform.person.await_message("I didn't understand")
    assert f"Haiku intent parsing failed for 'help {MARKED}'" in platform.dispatcher.output
    platform.dispatcher.kill()
    platform.start_dispatcher(ANTHROPIC_API_KEY="key-of-these-tests", **QUIET, **QUIET_ABOUT_FREE_TEXT)
    platform.person.say(f"help {MARKED}")
    platform.person.await_message("I didn't understand", count=2)
    assert MARKED not in platform.dispatcher.output
    assert "key-of-these-tests" not in platform.dispatcher.output
