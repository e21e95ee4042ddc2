# SPDX-License-Identifier: GPL-3.0-or-later
"""The end-to-end part of verify with the stand-in's Slack, Dispatcher and agent as processes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.module_utils.job_state import JobState, state_of
from ansible_collections.agentsmith.platform.plugins.module_utils.pod_stream import ContainerOf
from ansible_collections.agentsmith.platform.plugins.module_utils.verification import cluster_conversation
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.conversation import Conversation, Talk
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.end_to_end import (
    CHECKS,
    judge_conversation,
)
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.stand_in_slack import (
    SlackRefused,
    StandInSlack,
)
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.target import Names
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
    assert "*Done!*" in lines[-2]
    assert lines[-1].endswith("is gone, after its time to live of 300 s")


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


class TargetOfPlatform:
    """What cluster_conversation asks a Target for, answered from the platform."""

    connection = None
    names = Names("agentsmith", "", "", "")
    config_map: ClassVar = {"data": {"agentsmith.yml": CONFIGURATION}}

    def __init__(self, platform: Platform, slack_is_ready: bool = True) -> None:
        self._platform = platform
        self._slack_is_ready = slack_is_ready

    def deployment(self, name: str) -> dict[str, Any]:
        return {"metadata": {"name": name}}

    def ready_containers(self, _deployment: object) -> list[ContainerOf]:
        return [ContainerOf("agentsmith", "stand-in-slack-1", "slack")] if self._slack_is_ready else []

    def read_jobs(self) -> list[dict[str, Any]]:
        metadata = {"uid": "of-the-job", "creationTimestamp": CREATED}
        return [{**job, "metadata": {**job["metadata"], **metadata}} for job in self._platform.kubernetes.jobs]

    def read_job_pods(self) -> list[dict[str, Any]]:
        owner = {"ownerReferences": [{"uid": "of-the-job"}], "uid": "of-the-pod"}
        return [{"metadata": owner, "status": {"phase": "Running"}}]


def test_through_a_forwarded_port(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(platform.person.url)

    @contextmanager
    def forwarded(_connection: object, _pod: ContainerOf, port: int, timeout: float) -> Iterator[socket.socket]:
        assert port == 8081
        with socket.create_connection((parts.hostname, parts.port), timeout) as connected:
            yield connected

    monkeypatch.setattr(cluster_conversation, "forwarded_port", forwarded)
    request = cluster_conversation.Request("fix #54 in agent-smith-test", "stand-in-slack", 8081, 60, 0)
    outcomes, conversation = cluster_conversation.converse(TargetOfPlatform(platform), request)
    assert [outcome.result for outcome in outcomes] == ["ok"] * 5 + ["not checked"], outcomes
    assert "*Done!*" in conversation.as_lines()[-1]
    outcomes, _conversation = cluster_conversation.converse(TargetOfPlatform(platform, slack_is_ready=False), request)
    assert [outcome.result for outcome in outcomes] == ["failed"] + ["not checked"] * 5
    assert "no pod of the Deployment stand-in-slack" in outcomes[0].evidence
