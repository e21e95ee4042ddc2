# SPDX-License-Identifier: GPL-3.0-or-later
"""agentsmith.platform.slack_event in a play, against an app on loopback. One play has all cases."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from slack_app import SECRET, SlackApp, running_slack_app

CASES: dict[str, dict[str, Any]] = {
    "challenge": {"challenge": "marked-challenge"},
    "message": {"type": "message", "channel": "C1", "user": "U1", "text": "fix #54 in web & \N{SNOWMAN}"},
    "mention": {"type": "app_mention", "channel": "C1", "text": "<@U2> list tickets in web"},
    "button": {"type": "block_actions", "channel": "C1", "action_id": "q1:yes", "value": "yes", "block_id": "q1"},
    "other secret": {"signing_secret": "another"},
    "other secret, expected": {"signing_secret": "another", "status": [401]},
    "too old": {"timestamp_offset": -310, "status": [401]},
    "too new": {"timestamp_offset": 310, "status": [401]},
    "redirect": {"path": "/redirect", "status": [302]},
    "late": {"path": "/late", "timeout": 0.2},
    "echo": {"path": "/echo"},
    "nobody there": {"url": "http://127.0.0.1:9/slack/events"},
    "no address": {"url": "bot.example.com"},
    "empty secret": {"signing_secret": " "},
    "no text as secret": {"signing_secret": {"MARKED": 1}},
    "message without text": {"type": "message", "channel": "C1"},
}


@pytest.fixture(scope="module")
def app() -> Any:
    with running_slack_app() as running:
        yield running


@pytest.fixture(scope="module")
def output(app: SlackApp, play: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ansible-playbook says at its highest verbosity."""
    directory = tmp_path_factory.mktemp("slack-event")
    tasks = []
    for name, case in CASES.items():
        path = case.get("path", "/slack/events")
        options = {"url": app.url + path, "signing_secret": "{{ secret }}", **case}
        options.pop("path", None)
        tasks.append({"name": name, "agentsmith.platform.slack_event": options})
    tasks.append(
        {
            "name": "check mode",
            "check_mode": True,
            "agentsmith.platform.slack_event": {
                "url": app.url,
                "type": "message",
                "text": "in check mode",
                "channel": "C",
                "signing_secret": "{{ secret }}",
            },
        }
    )
    return play(directory, tasks, "-vvvvv", variables={"secret": SECRET}).output


@pytest.fixture(scope="module")
def results(output: str) -> dict[str, dict[str, Any]]:
    """The results by the name of their task."""
    found = {}
    for part in output.split("\nTASK [")[1:]:
        name, _bracket, rest = part.partition("]")
        outcome = re.search(r"^(\w+): \[localhost\].*?=> ", rest, re.MULTILINE)
        found[name] = {"outcome": outcome[1], **json.JSONDecoder().raw_decode(rest, outcome.end())[0]}
    return found


def test_the_challenge_comes_back(results: dict[str, dict[str, Any]]) -> None:
    result = results["challenge"]
    assert (result["status"], json.loads(result["body"])) == (200, {"challenge": "marked-challenge"})
    assert 0 < result["elapsed"] < 3
    assert result["changed"] is False


def test_a_message_is_an_event(results: dict[str, dict[str, Any]], app: SlackApp) -> None:
    assert results["message"]["changed"] is True
    (content,) = (c for c in app.received if c.get("event", {}).get("type") == "message")
    assert content["type"] == "event_callback"
    event = content["event"]
    assert (event["channel"], event["user"], event["text"]) == ("C1", "U1", "fix #54 in web & \N{SNOWMAN}")
    assert float(event["ts"]) > 0


def test_a_mention_is_an_event(results: dict[str, dict[str, Any]], app: SlackApp) -> None:
    assert results["mention"]["status"] == 200
    (content,) = (c for c in app.received if c.get("event", {}).get("type") == "app_mention")
    assert content["event"]["text"] == "<@U2> list tickets in web"


def test_a_button_is_a_form(results: dict[str, dict[str, Any]], app: SlackApp) -> None:
    assert results["button"]["status"] == 200
    (content,) = (c for c in app.received if c["type"] == "block_actions")
    (action,) = content["actions"]
    assert (action["action_id"], action["value"], action["block_id"]) == ("q1:yes", "yes", "q1")
    assert content["channel"] == {"id": "C1"}


@pytest.mark.parametrize("case", ["other secret, expected", "too old", "too new"])
def test_a_refusal_can_be_what_is_expected(results: dict[str, dict[str, Any]], case: str) -> None:
    assert results[case]["status"] == 401
    assert results[case]["outcome"] == "ok"


def test_a_redirect_is_not_followed(results: dict[str, dict[str, Any]]) -> None:
    assert results["redirect"]["status"] == 302


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("other secret", ["401, not 200", "its signing secret is a different one"]),
        ("late", ["no answer within 0.2 s"]),
        ("nobody there", ["127.0.0.1:9", "refused"]),
        ("no address", ["url must be an http:// or https:// address"]),
        ("empty secret", ["signing_secret is empty or not a string"]),
        ("no text as secret", ["signing_secret is empty or not a string"]),
        ("message without text", ["text"]),
        ("echo", ["500, not 200"]),
    ],
)
def test_a_failure_says_why(results: dict[str, dict[str, Any]], case: str, words: list[str]) -> None:
    assert results[case]["outcome"] == "fatal"
    for word in words:
        assert word in results[case]["msg"]


def test_check_mode_sends_nothing(results: dict[str, dict[str, Any]], app: SlackApp) -> None:
    assert results["check mode"]["outcome"] == "skipping"
    assert "in check mode" not in json.dumps(app.received)


def test_the_secret_appears_nowhere(output: str, results: dict[str, dict[str, Any]]) -> None:
    assert "********" in results["echo"]["body"]
    for form in (SECRET, json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode(), "MARKED-signing"):
        assert form not in output
