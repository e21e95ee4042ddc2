# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a conversation is followed, with a clock of the test. A real one is in tests/contract."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils.job_state import JobState
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.conversation import Conversation, Talk

JOB = "agentsmith-0123456789ab"
STEP = ":ticket: *[1/9]* Fetching ticket\n`[█░░░░░░░░░]` 1/9"
DONE = ":rocket: *Done!* Pipeline completed"


class World:
    """A Slack and a cluster that change with the time in seconds: texts of the bot, and states of the Job."""

    def __init__(self, texts: dict[int, str], job: dict[int, Any], delivery: str = "delivered") -> None:
        self.now = 0.0
        self._texts, self._job, self._delivery = texts, job, delivery

    def say(self, _channel: str, text: str) -> str:
        self._said = {"ts": "0", "user": "U1", "text": text, "delivery": self._delivery}
        return "0"

    def messages(self, _channel: str) -> list[dict[str, Any]]:
        said = [{"ts": str(at), "bot_id": "B", "text": text} for at, text in self._texts.items() if at <= self.now]
        return [self._said, *said]

    def read_job(self, _channel: str) -> tuple[dict[str, Any], JobState] | None:
        found = [entry for at, entry in self._job.items() if at <= self.now]
        if not found or found[-1] is None:
            return None
        state, cause = found[-1]
        return {"spec": {"ttlSecondsAfterFinished": 20}}, JobState(JOB, "fix #54 in web", state, cause, 1, None)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def held(world: World, cleanup_timeout: float = 60) -> Conversation:
    talk = Talk(world, world.read_job, 100, cleanup_timeout, clock=lambda: world.now, sleep=world.sleep)
    return talk.hold("C1", "fix #54 in web")


def test_to_the_removal_of_the_job() -> None:
    world = World({2: STEP, 5: DONE}, {1: ("running", ""), 6: ("complete", ""), 26: None})
    seen = held(world)
    assert (seen.done, seen.error, seen.gone, seen.steps) == (DONE, "", True, [(1, 9)])
    assert 26 <= world.now < 27
    assert [who for _seconds, who, _text in seen.transcript if who != "Kubernetes"] == ["you", *["Agent Smith"] * 2]
    assert [text for _seconds, who, text in seen.transcript if who == "Kubernetes"] == [
        f"Job {JOB} running",
        f"Job {JOB} complete",
        f"Job {JOB} is gone, after its time to live of 20 s",
    ]
    assert seen.as_lines()[0] == "  0.0 s  you          fix #54 in web"


def test_a_job_that_stays() -> None:
    world = World({5: DONE}, {1: ("complete", "")})
    assert held(world).gone is False
    assert world.now < 60


def test_a_time_to_live_that_is_too_long_to_wait_for() -> None:
    world = World({5: DONE}, {1: ("complete", "")})
    assert held(world, cleanup_timeout=19).gone is None
    assert world.now < 6


@pytest.mark.parametrize(
    ("job", "until"),
    [
        ({1: ("failed", "OOMKilled: memory")}, 7),
        ({1: ("waiting", "ErrImageNeverPull: not there")}, 7),
        ({1: ("waiting", "ErrImagePull: again"), 20: ("waiting", "ImagePullBackOff: no")}, 26),
        ({1: ("complete", "")}, 7),
        ({1: ("waiting", "quota: exceeded quota")}, 101),
        ({}, 101),
    ],
)
def test_without_a_word_of_the_job(job: dict[int, Any], until: float) -> None:
    world = World({}, job)
    seen = held(world, cleanup_timeout=0)
    assert until - 1 <= world.now <= until + 1
    assert (seen.done, seen.error) == ("", "")


@pytest.mark.parametrize(
    "text", [":x: *Agent Smith encountered an error:*\n```no```", "There is already a job running for this channel"]
)
def test_an_error_ends_it(text: str) -> None:
    world = World({3: text}, {})
    assert held(world).error == text
    assert world.now < 4


def test_a_message_that_is_not_delivered_ends_it() -> None:
    world = World({}, {}, delivery="HTTP 401 from the Dispatcher")
    assert held(world).delivery == "HTTP 401 from the Dispatcher"
    assert world.now == 0
