# SPDX-License-Identifier: GPL-3.0-or-later
"""The end-to-end part of verify with the stand-in's Slack, Dispatcher and agent as processes."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.module_utils.job_state import JobState, state_of
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.conversation import Conversation, Talk
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.end_to_end import (
    CHECKS,
    judge_conversation,
)
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.stand_in_slack import (
    SlackRefused,
    StandInSlack,
)
from stand_in_platform import CONFIGURATION, Platform

CREATED = "2026-01-02T12:00:00Z"


def slack_at(url: str) -> StandInSlack:
    parts = urlsplit(url)

    def send(method: str, path: str, body: bytes) -> Answer:
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connected:
            return send_request(connected, method, path, body, {"Content-Type": "application/json"})

    return StandInSlack(send)


class JobsOfPlatform:
    """Reads the Jobs of the fake Kubernetes, which does no housekeeping: a Job whose agent has ended is gone."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __call__(self, channel: str) -> tuple[dict[str, Any], JobState] | None:
        for job, agent in zip(self._platform.kubernetes.jobs, self._platform.agents, strict=False):
            (container,) = job["spec"]["template"]["spec"]["containers"]
            if channel in container["args"] and agent.running:
                live = {**job, "metadata": {**job["metadata"], "creationTimestamp": CREATED}}
                return live, state_of(live, [], [], datetime.now(UTC))
        return None


def held(platform: Platform, text: str, timeout: float = 60) -> Conversation:
    slack = slack_at(platform.person.url)
    return Talk(slack, JobsOfPlatform(platform), timeout, 300).hold(slack.add_channel("verify-1"), text)


def test_a_conversation_that_works(platform: Platform) -> None:
    conversation = held(platform, "fix #54 in agent-smith-test")
    outcomes = judge_conversation(conversation, CONFIGURATION)
    assert [outcome.check for outcome in outcomes] == list(CHECKS)
    assert [outcome.result for outcome in outcomes] == ["ok"] * len(CHECKS), outcomes
    assert len(set(conversation.steps)) >= 5
    lines = conversation.as_lines()
    assert "you          fix #54 in agent-smith-test" in lines[0]
    assert "*Done!*" in lines[-1]


def test_another_configuration_in_the_image(platform: Platform) -> None:
    conversation = held(platform, "fix #54 in short")
    found = {outcome.check: outcome.result for outcome in judge_conversation(conversation, CONFIGURATION + "\n")}
    assert found["e2e_completion"] == "ok"
    assert found["e2e_configuration"] == "failed"


def test_a_pipeline_that_fails(platform: Platform) -> None:
    conversation = held(platform, "fix #102 in agent-smith-test")
    found = {outcome.check: outcome for outcome in judge_conversation(conversation, CONFIGURATION)}
    assert found["e2e_progress"].result == "ok"
    assert found["e2e_completion"].result == "failed"
    assert "encountered an error" in found["e2e_completion"].evidence
    assert found["e2e_configuration"].result == "not checked"


def test_a_cluster_that_refuses_the_job(platform: Platform) -> None:
    platform.kubernetes.forbid()
    conversation = held(platform, "fix #54 in agent-smith-test")
    found = {outcome.check: outcome for outcome in judge_conversation(conversation, CONFIGURATION)}
    assert found["e2e_delivery"].result == "ok"
    assert found["e2e_job"].result == "failed"
    assert "forbidden" in found["e2e_job"].evidence.lower()


def test_a_dispatcher_that_is_not_there(platform: Platform) -> None:
    platform.dispatcher.kill()
    conversation = held(platform, "fix #54 in agent-smith-test")
    (delivery, *_others) = judge_conversation(conversation, CONFIGURATION)
    assert (delivery.check, delivery.result) == ("e2e_delivery", "failed")
    assert "cannot be reached" in delivery.evidence


def test_a_name_that_is_taken(platform: Platform) -> None:
    slack = slack_at(platform.person.url)
    slack.add_channel("taken")
    with pytest.raises(SlackRefused, match="400 name_taken"):
        slack.add_channel("taken")
