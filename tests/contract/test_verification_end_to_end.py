# SPDX-License-Identifier: GPL-3.0-or-later
"""The end-to-end part of verify with the stand-in's Slack, Dispatcher and agent as processes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import ContainerOf
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.job_state import JobState, state_of
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import cluster_conversation
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import (
    conversation as conversation_module,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.conversation import Conversation, Talk
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.end_to_end import (
    CHECKS,
    judge_conversation,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.stand_in_slack import (
    SlackRefused,
    StandInSlack,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names
from background_process import BackgroundProcess
from stand_in_platform import CONFIGURATION, Platform

pytestmark = pytest.mark.stand_in_agent("tickets that fail, ask or crash, and the digest in its last words")

CREATED = "2026-01-02T12:00:00Z"


class Page(BaseHTTPRequestHandler):
    """Answers as a proxy that shows a page instead."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html></html>")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def page_at(url: str) -> Iterator[None]:
    parts = urlsplit(url)
    server = ThreadingHTTPServer((parts.hostname, parts.port), Page)
    threading.Thread(target=server.serve_forever).start()
    yield
    server.shutdown()
    server.server_close()


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
            if channel in container["args"]:
                live = {**job, "metadata": {**job["metadata"], "creationTimestamp": CREATED}}
                return self.seen(live, agent)
        return None

    def seen(self, job: dict[str, Any], agent: BackgroundProcess) -> tuple[dict[str, Any], JobState] | None:
        return (job, state_of(job, [], [], datetime.now(UTC))) if agent.running else None


class JobsThatStay(JobsOfPlatform):
    """The same, and the Job of an agent that has ended tells its exit code, as long as anybody looks."""

    def seen(self, job: dict[str, Any], agent: BackgroundProcess) -> tuple[dict[str, Any], JobState] | None:
        if agent.running:
            return super().seen(job, agent)
        code = agent.wait()
        condition = {"status": "True", "lastTransitionTime": CREATED}
        condition |= {"type": "Failed", "message": f"exit code {code}"} if code else {"type": "Complete"}
        ended = {**job, "status": {"conditions": [condition]}}
        return ended, state_of(ended, [], [], datetime.now(UTC))


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
    assert "The stand-in fails on this ticket" in found["e2e_completion"].evidence
    assert found["e2e_configuration"].result == "not checked"


def refuses_with_a_quota(platform: Platform) -> None:
    message = "exceeded quota: agentsmith, requested: count/jobs.batch=1, used: count/jobs.batch=2"
    platform.kubernetes.refuse(403, "Forbidden", message)


def has_no_configuration(platform: Platform) -> None:
    (platform.agent_app / "config" / "agentsmith.yml").unlink()


def has_no_redis(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.redis.kill()
    platform.start_dispatcher(REDIS_URL=f"{platform.redis_url},abortConnect=false,asyncTimeout=1000")


def is_outside_a_cluster(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(KUBERNETES_SERVICE_HOST="")


def has_a_wrong_bot_token(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(SLACK_BOT_TOKEN="no-bot-token")


@pytest.mark.parametrize(
    ("arrange", "text", "results", "words", "seconds"),
    [
        (lambda platform: platform.kubernetes.forbid(), "fix #54 in short", "ok failed – –", "is forbidden", 5),
        (lambda _platform: None, "fix #54 in projects/mine", "ok failed – –", "UnprocessableEntity", 5),
        (refuses_with_a_quota, "fix #54 in short", "ok failed – –", "exceeded quota: agentsmith", 5),
        (lambda _platform: None, "fix #103 in short", "ok ok – failed", "exit code 1", 12),
        (has_no_configuration, "fix #54 in short", "ok ok – failed", "exit code 1", 12),
        (lambda _platform: None, "fix #54 in on-azure", "ok ok ? failed", "AZURE_DEVOPS_TOKEN", 8),
        (has_no_redis, "fix #54 in short", "ok failed – –", "timed out in the backlog", 15),
        (is_outside_a_cluster, "fix #54 in short", "ok failed – –", "no answer and no Job within 8 s", 13),
        (has_a_wrong_bot_token, "fix #54 in short", "ok ok failed failed", "there was no message in the channel", 15),
        (lambda platform: platform.dispatcher.kill(), "fix #54 in short", "failed – – –", "cannot be reached", 5),
    ],
    ids=[
        "403",
        "422",
        "quota",
        "crash",
        "no configuration",
        "no token",
        "no Redis",
        "no cluster",
        "bot token",
        "no Dispatcher",
    ],
)
def test_a_last_word_ends_it(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    arrange: Callable[[Platform], None],
    text: str,
    results: str,
    words: str,
    seconds: float,
) -> None:
    monkeypatch.setattr(conversation_module, "FIRST_WORDS", 8.0)
    # The first message to a fresh .NET process is compiled on the way: that is no part of the times here.
    platform.person.say("help", "C0ANOTHER")
    platform.person.await_message("here's what I can do", "C0ANOTHER")
    arrange(platform)
    slack = slack_at(platform.person.url)
    channel = slack.add_channel("verify-1")
    started = time.monotonic()
    conversation = Talk(slack, JobsThatStay(platform), 120, 0).hold(channel, text)
    assert time.monotonic() - started < seconds
    outcomes = judge_conversation(conversation, CONFIGURATION)
    short = {"ok": "ok", "failed": "failed", "not checked": "–"}
    for outcome, result in zip(outcomes[:4], results.split(), strict=True):
        # Whether a step was seen before a failure is a matter of moments.
        assert result in (short[outcome.result], "?"), outcomes
    assert words in "\n".join(outcome.evidence for outcome in outcomes)


def test_a_page_in_front_of_the_dispatcher(platform: Platform) -> None:
    platform.dispatcher.kill()
    with page_at(platform.dispatcher_url):
        (delivery, job, *_others) = judge_conversation(held(platform, "fix #54 in short"), CONFIGURATION)
    assert (delivery.result, job.result) == ("failed", "not checked")
    assert "HTTP 200 with text/html in it" in delivery.evidence


def test_a_question_that_nobody_answers_takes_the_whole_time(platform: Platform) -> None:
    conversation = held(platform, "fix #101 in agent-smith-test", timeout=6)
    found = {outcome.check: outcome for outcome in judge_conversation(conversation, CONFIGURATION)}
    assert found["e2e_completion"].result == "failed"
    assert "the time limit of 6 s is over" in found["e2e_completion"].evidence


def test_a_name_that_is_taken(platform: Platform) -> None:
    slack = slack_at(platform.person.url)
    slack.add_channel("taken")
    with pytest.raises(SlackRefused, match="400 name_taken"):
        slack.add_channel("taken")


class TargetOfPlatform:
    """What cluster_conversation asks a Target for, answered from the platform."""

    connection = None
    names = Names("agentsmith")
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
