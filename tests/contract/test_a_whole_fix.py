# SPDX-License-Identifier: GPL-3.0-or-later
"""A ticket is fixed: from the message in Slack to the pull request, through the services that the app calls."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.end_to_end import judge_conversation
from awaiting import await_condition
from redis import Redis
from stand_in_platform import CONFIGURATION, LONG_TICKET, REFUSED_TICKET, Platform
from test_verification_end_to_end import held

pytestmark = pytest.mark.real_agent_only("the stand-in fixes no ticket: it calls neither GitHub nor a model")


def test_a_ticket_is_fixed_from_the_message_to_the_pull_request(platform: Platform) -> None:
    github = platform.github
    issue = github.open_issue(12, "Say hello in Ünicode", "Write `docs/hello there.md`: Hellö")
    platform.person.say("fix #12 in agent-smith-test")
    platform.person.await_message(r"\*Done!\*", timeout=60)
    assert platform.agents[0].wait() == 0
    assert sorted(github.branches()) == ["fix/12", "main"]
    assert github.file("fix/12", "docs/hello there.md") == "Hellö"
    (pull_request,) = github.pull_requests
    assert (pull_request["head"]["ref"], pull_request["base"]["ref"]) == ("fix/12", "main")
    assert pull_request["title"] == issue.title
    assert issue.state == "closed"
    assert pull_request["html_url"] in issue.comments[-1]
    assert platform.openai.models
    assert set(platform.openai.models) == {"gpt-4.1"}
    with Redis(port=platform.redis_port) as redis:
        await_condition(lambda: redis.keys("*") == [])


def test_two_tickets_are_fixed_one_after_the_other(platform: Platform) -> None:
    for count, number in enumerate((54, 103), start=1):
        platform.person.say(f"fix #{number} in agent-smith-test")
        platform.person.await_message(r"\*Done!\*", count=count, timeout=60)
        platform.await_free_channels()
    assert sorted(platform.github.branches()) == ["fix/103", "fix/54", "main"]


@pytest.mark.parametrize(
    ("number", "reason"), [(999, "not found"), (REFUSED_TICKET, "Authentication failed. Check your API tokens.")]
)
def test_what_fails_on_the_way_is_reported_and_frees_the_channel(platform: Platform, number: int, reason: str) -> None:
    platform.person.say(f"fix #{number} in agent-smith-test")
    error = platform.person.await_message("failed", timeout=60)
    assert error["text"] == f":x: Agent Smith failed — ticket #{number} in agent-smith-test"
    assert reason in str(error["blocks"])
    assert platform.agents[0].wait() == 1
    assert platform.github.branches() == ["main"]
    platform.await_free_channels()
    platform.person.say("fix #54 in short")
    platform.person.await_message(r"\*Done!\*", timeout=60)


def test_nothing_is_pushed_by_an_agent_that_is_terminated(platform: Platform) -> None:
    platform.person.say(f"fix #{LONG_TICKET} in agent-smith-test")
    platform.person.await_message("Executing plan", timeout=60)
    platform.agents[0].signal(15)
    assert platform.agents[0].wait() != 0
    assert platform.github.branches() == ["main"]
    assert platform.github.issues[LONG_TICKET].state == "open"


def test_verification_is_content_with_it(platform: Platform) -> None:
    conversation = held(platform, "fix #54 in agent-smith-test")
    found = {outcome.check: outcome.result for outcome in judge_conversation(conversation, CONFIGURATION)}
    seen = ("e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion")
    assert [found[check] for check in seen] == ["ok"] * 4, conversation.as_lines()
    # Only the stand-in's last words say what it has read.
    assert found["e2e_configuration"] == "not checked"
