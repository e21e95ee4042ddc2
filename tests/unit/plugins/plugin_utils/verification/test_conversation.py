# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a conversation is followed, with a clock of the test. A real one is in tests/contract."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.conversation import Conversation, Talk
from scripted_conversation import JOB, Scripted

STEP = ":ticket: *[1/9]* Fetching ticket\n`[█░░░░░░░░░]` 1/9"
DONE = ":rocket: *Done!* Pipeline completed"


def held(world: Scripted, cleanup_timeout: float = 60) -> Conversation:
    talk = Talk(world, world.read_job, 100, cleanup_timeout, clock=lambda: world.now, sleep=world.sleep)
    return talk.hold("C1", "fix #54 in web")


def test_to_the_removal_of_the_job() -> None:
    world = Scripted({2: STEP, 5: DONE}, {1: ("running", ""), 6: ("complete", ""), 26: None})
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
    world = Scripted({5: DONE}, {1: ("complete", "")})
    assert held(world).gone is False
    assert world.now < 60


@pytest.mark.parametrize("state", [("running", ""), ("waiting", "ErrImageNeverPull: not there")])
def test_the_removal_of_a_job_that_has_not_ended_is_not_waited_for(state: tuple[str, str]) -> None:
    world = Scripted({1: STEP}, {1: state})
    seen = held(world)
    assert (seen.gone, seen.job_has_ended) == (None, False)
    assert world.now < 102


def test_a_time_to_live_that_is_too_long_to_wait_for() -> None:
    world = Scripted({5: DONE}, {1: ("complete", "")})
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
        # Nothing is said, nothing is done: the message was dropped
        ({}, 30),
        # It came back, and then ended
        ({1: ("waiting", "ImagePullBackOff: no"), 4: ("running", ""), 50: ("failed", "Error, exit code 1")}, 56),
        ({1: ("waiting", "ImagePullBackOff: no"), 4: ("running", "")}, 101),
        # Removed while it ran
        ({1: ("running", ""), 9: None}, 15),
        ({1: ("waiting", "Unschedulable: no node")}, 101),
        ({1: ("waiting", "CreateContainerConfigError: image has non-numeric user")}, 7),
        ({1: ("waiting", 'Pod Security: pods "a" is forbidden: violates PodSecurity "restricted:latest"')}, 7),
        ({1: ("waiting", 'FailedCreate: pods "a" is forbidden: maximum cpu usage per Container is 500m')}, 7),
        ({1: ("waiting", 'FailedCreate: admission webhook "a.example.com" denied the request: no')}, 7),
        ({1: ("waiting", "FailedCreate: Internal error occurred: failed calling webhook")}, 101),
        (
            {1: ("waiting", "quota: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")},
            7,
        ),
        (
            {1: ("waiting", "quota: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5")},
            101,
        ),
    ],
)
def test_without_a_word_of_the_job(job: dict[int, Any], until: float) -> None:
    world = Scripted({}, job)
    seen = held(world, cleanup_timeout=0)
    assert until - 1 <= world.now <= until + 1
    assert (seen.done, seen.error) == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        ":x: Agent Smith failed — ticket #14 in myproj",
        ":x: Operation returned an invalid status code 'Forbidden', response body {}",
        ":x: Ticket #1 was not found in any configured project.",
        ":x: *Agent Smith encountered an error:*\n```no```",
        "*Agent Smith failed* — ticket #14",
        "Agent Smith failed — ticket #14",
        ":hourglass: There is already a job running for this channel (job `1` for ticket #14).",
        ":hourglass: A job is already running. Please wait.",
        "There is already a job running for this channel",
        ":warning: Job `0123456789ab` appears to have crashed (no activity for over 5 minutes)",
        ':shrug: I didn\'t understand: "*Done!*"',
        ":question: I didn't understand that. Try:",
        ":robot_face: *Agent Smith — here's what I can do:*",
        ":wave: Hey! I'm Agent Smith",
        ":thinking_face: Did you mean: *fix #1 in a*?",
    ],
)
def test_an_answer_behind_which_nothing_comes_ends_it_at_once(text: str) -> None:
    world = Scripted({3: text}, {})
    seen = held(world)
    assert (seen.error, seen.done) == (text, "")
    assert world.now < 4


@pytest.mark.parametrize(
    "text",
    [
        ":rocket: Starting Agent Smith for ticket *#54* in *:x:*...",
        "Starting Agent Smith for ticket *#54* in *web*...",
        ":white_check_mark: *[6/9]* Awaiting approval",
        "*[1/9]* Fetching ticket",
        ":thought_balloon: *Question:* Is *Agent Smith failed* or *Done!* what it says?",
        ":thought_balloon: *q1*\n:x: Answered: *no*",
        ":thought_balloon: *q1*\n*Done!* Answered: *yes*",
    ],
)
def test_a_step_of_the_work_ends_nothing(text: str) -> None:
    world = Scripted({3: text, 40: DONE}, {4: ("running", "")})
    seen = held(world, cleanup_timeout=0)
    assert (seen.error, seen.done) == ("", DONE)
    assert 40 <= world.now < 41


def test_between_the_start_and_its_job_the_api_server_may_take_its_time() -> None:
    world = Scripted(
        {3: ":rocket: Starting Agent Smith for ticket *#54* in *web*...", 90: ":x: Connection timed out"}, {}
    )
    assert held(world).error == ":x: Connection timed out"


@pytest.mark.parametrize("text", [":ticket: *Open tickets in web* (2 total):", "Something else", ":bulb: Try another"])
def test_an_answer_that_is_not_known_is_given_time_for_a_job(text: str) -> None:
    world = Scripted({3: text}, {})
    seen = held(world)
    assert (seen.done, seen.error, seen.ended) == ("", "", "no Job followed this answer within 5 s")
    assert 8 <= world.now < 9
    world = Scripted({3: text, 20: DONE}, {7: ("running", "")})
    assert held(world, cleanup_timeout=0).done == DONE


def test_a_step_is_one_that_the_app_reports() -> None:
    world = Scripted({3: DONE}, {1: ("waiting", "Unschedulable: [2/9] nodes")})
    talk = Talk(world, world.read_job, 100, 0, clock=lambda: world.now, sleep=world.sleep)
    assert talk.hold("C1", "fix #54 in web [1/9]").steps == []


@pytest.mark.parametrize(
    ("messages", "done", "error"), [({3: ":x: no", 3.1: DONE}, "", ":x: no"), ({3: DONE, 3.1: ":x: no"}, DONE, "")]
)
@pytest.mark.parametrize("look", [0.0, 2.0])
def test_the_first_end_counts_however_often_one_looks(
    look: float, messages: dict[float, str], done: str, error: str
) -> None:
    seen = held(Scripted(messages, {1: ("running", "")}, look=look), cleanup_timeout=0)
    assert (seen.done, seen.error) == (done, error)


def test_a_detail_in_a_thread_ends_nothing() -> None:
    detail = {"text": ":x: 3 tests fail, trying again", "thread_ts": "2"}
    world = Scripted({2: STEP, 3: detail, 40: DONE}, {1: ("running", "")})
    assert held(world, cleanup_timeout=0).done == DONE


def test_the_first_message_of_a_thread_is_none_of_its_details() -> None:
    world = Scripted({3: {"text": ":x: no", "thread_ts": "3"}}, {})
    assert held(world).error == ":x: no"


def test_the_reason_is_read_out_of_the_blocks() -> None:
    reason = ":x: *Agent Smith failed* — ticket *#12* in *web*\n*Reason:* Authentication failed."
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": reason}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Retry"}}]},
    ]
    message = {"text": ":x: Agent Smith failed — ticket #12 in web", "blocks": blocks}
    seen = held(Scripted({3: message}, {}))
    assert seen.error == reason
    assert seen.as_lines()[-1].endswith("*Reason:* Authentication failed.")


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"type": "divider"}, "text", {"type": "section", "text": "x"}, {"type": "section", "text": {"text": 7}}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "*Agent Smith failed*"}]}],
        7,
        "text",
        {"type": "section"},
        [{"type": "section", "fields": 7}, {"type": "section", "fields": {"text": "x"}, "text": [7]}],
    ],
)
def test_blocks_may_hold_anything(blocks: list[Any]) -> None:
    seen = held(Scripted({3: {"text": ":x: no", "blocks": blocks}}, {}))
    assert seen.error in (":x: no", "*Agent Smith failed*")


@pytest.mark.parametrize("text", [7, True, None, [":x: no"], {"text": ":x: no"}])
def test_a_text_may_be_none(text: object) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": ":x: the reason"}}
    assert held(Scripted({3: {"text": text, "blocks": [section]}}, {})).error == ":x: the reason"
    assert held(Scripted({3: {"text": text}}, {})).ended == "no Job followed this answer within 5 s"


def test_a_message_that_is_not_delivered_ends_it() -> None:
    world = Scripted({}, {}, delivery="HTTP 401 from the Dispatcher")
    assert held(world).delivery == "HTTP 401 from the Dispatcher"
    assert world.now == 0
