# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running Dispatcher answers: the app's endpoints, status codes and signature check."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from slack_request import SlackSender, request, signature_headers

CHALLENGE = {"type": "url_verification", "challenge": "3eZbrw1aB-ü"}


def message(**fields: object) -> dict[str, object]:
    return {
        "type": "event_callback",
        "event": {"type": "message", "text": "contract test", "user": "U0CONTRACT", "channel": "C0CONTRACT", **fields},
    }


def test_health(dispatcher: SlackSender) -> None:
    answer = request(dispatcher.url, "GET", "/health")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    body = json.loads(answer.body)
    assert sorted(body) == ["status", "timestamp"]
    assert body["status"] == "ok"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(body["timestamp"])) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/health"), ("HEAD", "/health"), ("GET", "/slack/events"), ("GET", "/slack/interact")]
)
def test_other_methods_are_not_allowed(dispatcher: SlackSender, method: str, path: str) -> None:
    assert request(dispatcher.url, method, path).status == 405


@pytest.mark.parametrize("path", ["/", "/healthz", "/slack/event", "/metrics"])
def test_nothing_else_is_exposed(dispatcher: SlackSender, path: str) -> None:
    answer = request(dispatcher.url, "GET", path)
    assert (answer.status, answer.body) == (404, "")


def test_signed_challenge(dispatcher: SlackSender) -> None:
    answer = dispatcher.event(CHALLENGE)
    assert answer.status == 200
    assert json.loads(answer.body) == {"challenge": CHALLENGE["challenge"]}


@pytest.mark.parametrize("age", [290, -290])
def test_timestamp_within_the_window(dispatcher: SlackSender, age: int) -> None:
    assert dispatcher.event(CHALLENGE, timestamp=int(time.time()) - age).status == 200


@pytest.mark.parametrize("age", [310, -310])
def test_timestamp_outside_the_window(dispatcher: SlackSender, age: int) -> None:
    answer = dispatcher.event(CHALLENGE, timestamp=int(time.time()) - age)
    assert (answer.status, answer.body) == (401, "")


@pytest.mark.parametrize("timestamp", ["yesterday", "12.5"])
def test_timestamp_that_is_no_number(dispatcher: SlackSender, timestamp: str) -> None:
    assert dispatcher.event(CHALLENGE, timestamp=timestamp).status == 401


@pytest.mark.parametrize("path", ["/slack/events", "/slack/interact"])
@pytest.mark.parametrize("missing", ["X-Slack-Request-Timestamp", "X-Slack-Signature"])
def test_missing_header(dispatcher: SlackSender, path: str, missing: str) -> None:
    body = json.dumps(CHALLENGE).encode()
    headers = signature_headers(dispatcher.secret, body)
    del headers[missing]
    assert request(dispatcher.url, "POST", path, body, headers).status == 401


def test_wrong_signature(dispatcher: SlackSender) -> None:
    body = json.dumps(CHALLENGE).encode()
    other_secret = signature_headers(dispatcher.secret + "x", body)
    other_body = signature_headers(dispatcher.secret, body + b" ")
    assert dispatcher.event(CHALLENGE, headers=other_secret).status == 401
    assert dispatcher.event(CHALLENGE, headers=other_body).status == 401
    assert dispatcher.interaction({"type": "block_actions"}, headers=other_secret).status == 401


def test_a_wrong_signature_hides_what_is_wrong_with_the_body(dispatcher: SlackSender) -> None:
    assert dispatcher.event("{", headers=signature_headers("other", b"{")).status == 401


@pytest.mark.parametrize("payload", ["", "{", "[]", '"text"', '{"type": 1}'])
def test_malformed_event(dispatcher: SlackSender, payload: str) -> None:
    answer = dispatcher.event(payload)
    assert (answer.status, answer.body) == (500, "")


def test_null_event(dispatcher: SlackSender) -> None:
    answer = dispatcher.event("null")
    assert (answer.status, answer.body) == (400, "")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "app_rate_limited"},
        message(type="reaction_added"),
        message(bot_id="B0CONTRACT"),
        message(text="<@U0BOT>"),
        message(),
        message(type="app_mention", text="<@U0BOT> contract test"),
    ],
)
def test_other_events_get_an_empty_answer(dispatcher: SlackSender, payload: object) -> None:
    answer = dispatcher.event(payload)
    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"type": "view_submission"}, 200),
        ({"type": "block_actions", "channel": {"id": "C0CONTRACT"}, "actions": [{"action_id": "plain"}]}, 200),
        ({"type": "block_actions", "channel": {"id": "C0CONTRACT"}, "actions": [{"action_id": "q1:yes"}]}, 200),
        ("", 400),
        ("other=1", 400),
        ("payload=", 400),
        ("payload=null", 400),
        ("payload={", 500),
        ("payload=[]", 500),
        ({"type": "block_actions", "actions": []}, 500),
    ],
)
def test_interaction(dispatcher: SlackSender, payload: object, status: int) -> None:
    answer = dispatcher.interaction(payload)
    assert (answer.status, answer.body) == (status, "")
