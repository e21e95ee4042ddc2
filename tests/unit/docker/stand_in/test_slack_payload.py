# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher reads out of Slack's bodies, and what makes it throw."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from stand_in.dispatcher.slack_payload import (
    MalformedPayloadError,
    Message,
    interaction_json,
    message_in,
    parse_json,
    press_in,
    text_at,
)


def event(**fields: object) -> dict[str, object]:
    return {"type": "event_callback", "event": {"type": "message", "user": "U1", "channel": "C1", **fields}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix #54 in p", "fix #54 in p"),
        ("  fix #54 in p ", "fix #54 in p"),
        ("<@U0BOT> fix #54 in p", "fix #54 in p"),
        ("<@U0BOT>fix #54 in p", "fix #54 in p"),
        ("fix <@U0BOT> #54", "fix <@U0BOT> #54"),
        ("<@U0BOT fix", "<@U0BOT fix"),
    ],
)
@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_message_without_its_mention(kind: str, text: str, expected: str) -> None:
    assert message_in(event(type=kind, text=text)) == Message(expected, "U1", "C1")


@pytest.mark.parametrize(
    "payload",
    [
        event(type="reaction_added", text="x"),
        event(text="x", bot_id="B1"),
        event(text=""),
        event(text="<@U0BOT>  "),
        event(text=None),
        event(),
        {"type": "event_callback"},
        {"event": None},
    ],
)
def test_ignored_events(payload: object) -> None:
    assert message_in(payload) is None


def test_a_blank_bot_id_is_a_human() -> None:
    assert message_in(event(text="x", bot_id=" ")) == Message("x", "U1", "C1")


@pytest.mark.parametrize(
    "payload", [[], "text", 1, {"event": []}, {"event": {"type": 1}}, event(text=1), event(user=[])]
)
def test_payloads_that_make_the_app_throw(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        message_in(payload)


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': 1}", '{"a": 1,}', "NaN", '{"a": Infinity}', "null null", "[" * 100_000]
)
def test_malformed_json(text: str) -> None:
    with pytest.raises(MalformedPayloadError):
        parse_json(text)


def test_malformed_json_is_not_repeated() -> None:
    with pytest.raises(MalformedPayloadError) as caught:
        parse_json("s3cr3t-marked")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_text_at_walks_objects_and_arrays() -> None:
    node = {"a": [{"b": "text"}], "c": None}
    assert text_at(node, "a", 0, "b") == "text"
    assert text_at(node, "c", "d", 0) is None
    assert text_at(node, "x") is None
    with pytest.raises(MalformedPayloadError):
        text_at(node, "a", 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (urlencode({"payload": '{"type": "a+b&c"}'}), '{"type": "a+b&c"}'),
        ("other=1", None),
        ("payload=", None),
        ("payload=+%20", None),
        ("", None),
        ("payload=null", "null"),
    ],
)
def test_interaction_json(body: str, expected: str | None) -> None:
    assert interaction_json(body) == expected


@pytest.mark.parametrize(
    ("action_id", "expected"),
    [
        ("q1:yes", ("C1", "q1", "yes")),
        ("job:q1:no", ("C1", "job:q1", "no")),
        ("plain", None),
        ("", None),
        (None, None),
    ],
)
def test_press(action_id: str | None, expected: tuple[str, str, str] | None) -> None:
    press = press_in({"channel": {"id": "C1"}, "actions": [{"action_id": action_id}]})
    assert (press and (press.channel, press.question, press.answer)) == expected


def test_a_press_has_what_its_payload_has() -> None:
    action = {"action_id": "error:retry", "value": "54:p", "block_id": "error_actions:j"}
    payload = {"user": {"id": "U1"}, "message": {"ts": "1.2"}, "actions": [action]}
    press = press_in(payload)
    assert (press.user, press.message_timestamp, press.value, press.block_id) == (
        "U1",
        "1.2",
        "54:p",
        "error_actions:j",
    )


def test_what_a_press_lacks_is_empty_and_what_is_malformed_is_found_when_it_is_asked_for() -> None:
    press = press_in({"user": 1, "actions": [{"action_id": "q1:yes"}]})
    assert (press.message_timestamp, press.value, press.block_id) == ("", "", None)
    with pytest.raises(MalformedPayloadError):
        _ = press.user


def test_a_press_without_actions_makes_the_app_throw() -> None:
    with pytest.raises(MalformedPayloadError):
        press_in({"channel": {"id": "C1"}, "actions": []})
