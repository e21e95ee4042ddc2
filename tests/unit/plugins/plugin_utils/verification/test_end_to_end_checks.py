# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversation has to show."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.job_state import JobState
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.conversation import Conversation
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.end_to_end import (
    CHECKS,
    judge_conversation,
)

TEXT = "projects: {}\n"
DONE = f":rocket: *Done!* (stand-in; agentsmith.yml sha256:{hashlib.sha256(TEXT.encode()).hexdigest()})"
REFUSED = (1.0, "Agent Smith", ":x: Forbidden")
STEP = (1.0, "Agent Smith", ":ticket: *[9/9]* Creating pull request")


def a_job(name: str = "agentsmith-0123456789ab", state: str = "complete", cause: str = "") -> Any:
    return {"spec": {"ttlSecondsAfterFinished": 20}}, JobState(name, "fix #54 in web", state, cause, 1, 1)


def good(**changes: Any) -> Conversation:
    content: dict[str, Any] = {
        "transcript": [STEP],
        "delivery": "delivered",
        "job": a_job(),
        "done": DONE,
        "gone": True,
    }
    content["job_has_ended"] = True
    return Conversation(**{**content, **changes})


@pytest.mark.parametrize(
    ("seen", "failed", "not_checked", "words"),
    [
        (good(), [], [], "9 of 9"),
        (good(delivery="HTTP 401 from the Dispatcher"), ["e2e_delivery"], [], "HTTP 401"),
        (good(delivery=""), ["e2e_delivery"], [], "has not answered"),
        (
            good(job=None, gone=None, done="", transcript=[REFUSED]),
            ["e2e_job"],
            ["e2e_progress", "e2e_completion", "e2e_configuration", "e2e_cleanup"],
            "no Job was spawned; last message: :x: Forbidden",
        ),
        (good(job=a_job("other")), ["e2e_job"], [], "other"),
        (good(transcript=[]), ["e2e_progress"], [], "no step was reported"),
        (
            good(done="", transcript=[], job=a_job(state="waiting", cause="ErrImageNeverPull: not there")),
            ["e2e_completion"],
            ["e2e_progress", "e2e_configuration"],
            "agentsmith-0123456789ab waiting, ErrImageNeverPull: not there",
        ),
        (
            good(done="", job=a_job(state="failed", cause="OOMKilled: memory")),
            ["e2e_completion"],
            ["e2e_configuration"],
            "agentsmith-0123456789ab failed, OOMKilled: memory",
        ),
        (
            good(done=DONE.replace("sha256:", "sha256:" + "0" * 10)),
            ["e2e_configuration"],
            [],
            "agent sha256:0000000000",
        ),
        (good(done=":rocket: *Done!* Fixed"), [], ["e2e_configuration"], "did not report"),
        (good(gone=False), ["e2e_cleanup"], [], "is still there"),
        (good(gone=None), [], ["e2e_cleanup"], "20 s, is too long to wait for"),
        (
            good(
                gone=None,
                done="",
                job=a_job(state="running"),
                job_has_ended=False,
                ended="the time limit of 9 s is over",
            ),
            ["e2e_completion"],
            ["e2e_configuration", "e2e_cleanup"],
            "the Job has not ended",
        ),
        (
            good(done="", error=":x: no", transcript=[(1.0, "Agent Smith", ":x: no")]),
            ["e2e_completion"],
            ["e2e_progress", "e2e_configuration"],
            "last message: :x: no",
        ),
    ],
)
def test_verdicts(seen: Conversation, failed: list[str], not_checked: list[str], words: str) -> None:
    outcomes = judge_conversation(seen, TEXT)
    assert tuple(outcome.check for outcome in outcomes) == CHECKS
    assert [outcome.check for outcome in outcomes if outcome.result == "failed"] == failed
    assert [outcome.check for outcome in outcomes if outcome.result == "not checked"] == not_checked
    assert words in "\n".join(outcome.evidence for outcome in outcomes)
    assert all(outcome.hint for outcome in outcomes if outcome.result == "failed")
