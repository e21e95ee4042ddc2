# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the app can answer: what each check says then, and after how many seconds. As in the role's README.

The texts are the app's at be4bffa1. A look at Slack and one at the Job take 0.2 s each here.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.conversation import Talk
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.dispatcher import (
    check_challenge,
    check_wrong_signature,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.end_to_end import (
    LONGEST_EVIDENCE,
    judge_conversation,
)
from scripted_conversation import Scripted

README = Path(__file__).parents[5] / "roles/verify/README.md"
TIMEOUT = 180.0
LOOK = 0.2
# A pause and two looks at both
SLACK = 0.3 + 4 * LOOK
COLUMNS = ("challenge", "wrong_signature", "e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion")
SHORT = {"ok": "ok", "failed": "failed", "not checked": "–"}

START = ":rocket: Starting Agent Smith for ticket *#54* in *web*..."
STEP = ":ticket: *[1/9]* Fetching ticket\n`[█░░░░░░░░░]` 1/9"
LATER = ":zap: *[7/9]* Executing plan\n`[████████░░]` 7/9"
PAGE = Answer(200, "<html><title>Sign in</title></html>", 0.1, {"content-type": "text/html"})
CHALLENGE, REFUSED, EMPTY = Answer(200, '{"challenge":"abc"}', 0.1), Answer(401, "", 0.1), Answer(200, "", 0.1)
RUNNING = ("running", "")


def refused(status: str, message: str) -> str:
    """What the app says of a Job that the API server does not take."""
    body = f'{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{message}"}}'
    return f":x: Operation returned an invalid status code '{status}', response body {body}"


def failed(reason: str) -> dict[str, Any]:
    """What the app says of a Job that reports an error: the reason is in the blocks only."""
    header = f":x: *Agent Smith failed* — ticket *#54* in *web*\n*Reason:* {reason}"
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": header}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Retry"}}]},
    ]
    return {"text": ":x: Agent Smith failed — ticket #54 in web", "blocks": blocks}


@dataclass(frozen=True)
class Way:
    """One way to answer.

    Attributes:
        results: of COLUMNS, as the README writes them.
        seconds: the longest time after the last thing that happens, None for the time-out.
        words: what has to be in the evidence or the hints.
        answers: to a right and to a wrong signature.
    """

    results: str
    seconds: float | None
    words: str
    messages: dict[float, Any] = field(default_factory=dict)
    job: dict[float, Any] = field(default_factory=dict)
    delivery: str = "delivered"
    answers: tuple[Answer, Answer] = (CHALLENGE, REFUSED)


DONE = {1: START, 3: STEP, 5: LATER, 9: ":rocket: *Done!* Fixed\n:link: <https://example.com/1|View Pull Request>"}
WAYS = {
    "right": Way("ok ok ok ok ok ok", 1, "View Pull Request", DONE, {1: RUNNING, 10: ("complete", "")}),
    "no signing secret": Way(
        "ok failed ok ok ok ok", 1, "Anybody can start Jobs", DONE, {1: RUNNING}, answers=(CHALLENGE, CHALLENGE)
    ),
    "answers thrown away": Way(
        "failed failed ok ok ok ok",
        1,
        "This build answers everything with an empty 200",
        DONE,
        {1: RUNNING},
        answers=(EMPTY, EMPTY),
    ),
    "Job refused (403)": Way(
        "ok ok ok failed – –",
        1,
        r"cannot create resource \"jobs\" in API group \"batch\"",
        {
            1: START,
            2: refused(
                "Forbidden",
                r"jobs.batch is forbidden: User \"system:serviceaccount:agentsmith:agentsmith\" cannot create resource "
                r"\"jobs\" in API group \"batch\" in the namespace \"agentsmith\"",
            ),
        },
    ),
    "Job invalid (422)": Way(
        "ok ok ok failed – –",
        1,
        "metadata.labels: Invalid value",
        {
            1: START,
            2: refused("UnprocessableEntity", r"Job.batch \"a\" is invalid: metadata.labels: Invalid value: 'a b'"),
        },
    ),
    "quota used up": Way(
        "ok ok ok failed – –",
        1,
        "exceeded quota: agentsmith, requested: count/jobs.batch=1",
        {
            1: START,
            2: refused(
                "Forbidden", "exceeded quota: agentsmith, requested: count/jobs.batch=1, used: count/jobs.batch=2"
            ),
        },
    ),
    "image missing": Way(
        "ok ok ok ok – failed",
        6,
        "waiting, ImagePullBackOff: Back-off pulling image",
        {1: START},
        {
            2: ("waiting", ""),
            5: ("waiting", "ErrImagePull: no"),
            15: ("waiting", "ImagePullBackOff: Back-off pulling image"),
        },
    ),
    "agent crashes": Way(
        "ok ok ok ok ok failed",
        6,
        "failed, OOMKilled: memory; last message: :zap: *[7/9]*",
        {1: START, 3: STEP, 5: LATER},
        {2: RUNNING, 9: ("failed", "OOMKilled: memory")},
    ),
    "agent without configuration": Way(
        "ok ok ok ok – failed",
        6,
        "failed, Error, exit code 1; last message: :rocket: Starting",
        {1: START},
        {2: RUNNING, 4: ("failed", "Error, exit code 1")},
    ),
    "LLM refuses": Way(
        "ok ok ok ok ok failed",
        1,
        "*Reason:* Authentication failed. Check your API tokens.",
        {1: START, 3: STEP, 5: LATER, 9: failed("Authentication failed. Check your API tokens.")},
        {2: RUNNING},
    ),
    "ticket missing": Way(
        "ok ok ok ok – failed",
        1,
        "*Reason:* Ticket 54 not found",
        {1: START, 4: failed("Ticket 54 not found")},
        {2: RUNNING},
    ),
    "busy channel": Way(
        "ok ok ok failed – –",
        1,
        "There is already a job running",
        {1: ":hourglass: There is already a job running for this channel (job `1` for ticket #1). Please wait for it."},
    ),
    "Redis away": Way(
        "ok ok ok failed – –",
        1,
        "The message timed out in the backlog",
        {6: ":x: The message timed out in the backlog attempting to send because no connection became available"},
    ),
    "proxy page": Way(
        "failed failed failed – – –",
        1,
        "HTTP 200 with text/html in it",
        delivery="HTTP 200 with text/html in it, which is no answer of the Dispatcher",
        answers=(PAGE, PAGE),
    ),
    "time-out": Way(
        "ok ok ok ok ok failed", None, "the time limit of 180 s is over", {1: START, 3: STEP, 5: LATER}, {2: RUNNING}
    ),
    "bot token refused": Way(
        "ok ok ok ok failed failed",
        6,
        "Slack refuses the bot token",
        {},
        {2: RUNNING, 9: ("complete", "")},
    ),
    "message dropped": Way("ok ok ok failed – –", 31, "no answer and no Job within 30 s"),
    "not understood": Way(
        "ok ok ok failed – –", 1, "I didn't understand", {1: ':shrug: I didn\'t understand: "mend #54"'}
    ),
    "Redis URL with a password": Way(
        "ok ok ok failed – –",
        1,
        "UnableToConnect on redis://:********@10.0.0.7:6379",
        {6: ":x: It was not possible to connect: UnableToConnect on redis://:MARKED-77@10.0.0.7:6379/Interactive"},
    ),
}


@pytest.fixture
def redactor() -> Redactor:
    """One that knows the Secret of the release."""
    known = Redactor()
    url = base64.b64encode(b"redis://:MARKED-77@redis:6379").decode()
    known.learn([{"kind": "Secret", "data": {"redis-url": url}}])
    return known


@pytest.mark.parametrize("name", WAYS)
def test_a_way_to_answer(name: str, redactor: Redactor) -> None:
    way = WAYS[name]
    world = Scripted(way.messages, way.job, way.delivery, LOOK)
    talk = Talk(world, world.read_job, TIMEOUT, 0, clock=lambda: world.now, sleep=world.sleep)
    conversation = talk.hold("C1", "fix #54 in web")
    right, wrong = way.answers
    outcomes = [
        check_challenge("challenge", "abc", right),
        check_wrong_signature("wrong_signature", wrong),
        *judge_conversation(conversation, "projects: {}\n", redactor.text),
    ]
    found = {outcome.check: outcome for outcome in outcomes}
    assert [SHORT[found[check].result] for check in COLUMNS] == way.results.split(), outcomes
    # Only the stand-in tells a digest and has a time to live that is short enough.
    assert {found[check].result for check in ("e2e_configuration", "e2e_cleanup")} == {"not checked"}
    last = max((at for at in (*way.messages, *way.job) if at <= world.now), default=0.0)
    if way.seconds is None:
        assert TIMEOUT <= world.now <= TIMEOUT + SLACK
    else:
        assert world.now - last <= way.seconds + SLACK
    said = "\n".join(f"{outcome.evidence} {outcome.hint}" for outcome in outcomes)
    assert way.words in said
    assert "MARKED" not in said
    for outcome in outcomes:
        assert "\n" not in outcome.evidence
        assert len(outcome.evidence) <= LONGEST_EVIDENCE
        assert outcome.hint or outcome.result != "failed"


def test_the_readme_has_the_same_table() -> None:
    rows = re.findall(r"^\| ([^|`]+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {name.strip(): [cell.strip() for cell in cells.split(" | ")] for name, cells in rows}
    for name, way in WAYS.items():
        cells = documented[name]
        assert cells[: len(COLUMNS)] == way.results.split(), name
        seconds = "`verify_end_to_end_timeout`" if way.seconds is None else f"{way.seconds:g}"
        assert cells[len(COLUMNS)] == seconds, name


def test_evidence_is_fit_for_a_terminal() -> None:
    world = Scripted({1: ":x: \x1b[31mno\x07\u202e\r\n" + "a" * 40_000}, {})
    talk = Talk(world, world.read_job, TIMEOUT, 0, clock=lambda: world.now, sleep=world.sleep)
    evidence = [outcome.evidence for outcome in judge_conversation(talk.hold("C1", "fix #54 in web"), None)]
    assert all(text.isprintable() and len(text) <= LONGEST_EVIDENCE for text in evidence)
    assert ":x: [31mno aaa" in str(evidence)


def test_evidence_is_masked_before_it_is_cut(redactor: Redactor) -> None:
    """Half of a value would not be recognised."""
    text = ":x: " + "a" * (LONGEST_EVIDENCE - 80) + " redis://:MARKED-77@redis:6379"
    for blanks in range(40):
        world = Scripted({1: f"{text[:4]}{'b' * blanks}{text[4:]}"}, {})
        talk = Talk(world, world.read_job, TIMEOUT, 0, clock=lambda world=world: world.now, sleep=world.sleep)
        outcomes = judge_conversation(talk.hold("C1", "fix #54 in web"), None, redactor.text)
        assert "MARK" not in str(outcomes)
