# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher reads out of the bodies that Slack sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qs

MESSAGE_TYPES = ("message", "app_mention")


class MalformedPayloadError(ValueError):
    """The body makes the app throw, which its clients see as a 500. The message repeats nothing of the body."""


@dataclass(frozen=True)
class Message:
    """A message of a human, without the leading mention of the bot."""

    text: str
    user: str
    channel: str


@dataclass(frozen=True)
class Press:
    """A pressed button: `question` and `answer` are the two halves of its action id.

    What a kind of button does not need is read from the payload only when it is asked for, so that its absence does not
    matter to the others. Every property raises MalformedPayloadError.
    """

    channel: str
    question: str
    answer: str
    payload: object = None

    @property
    def user(self) -> str:
        """Who has pressed it."""
        return text_at(self.payload, "user", "id") or ""

    @property
    def value(self) -> str:
        """What the button stands for."""
        return text_at(self.payload, "actions", 0, "value") or ""

    @property
    def block_id(self) -> str | None:
        """The row of buttons that it is in."""
        return text_at(self.payload, "actions", 0, "block_id")

    @property
    def message_timestamp(self) -> str:
        """The message that it is under."""
        return text_at(self.payload, "message", "ts") or ""


def parse_json(text: str) -> object:
    """Parse strictly. Raises MalformedPayloadError, also for the NaN and Infinity that Python would accept."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedPayloadError(f"not JSON at character {error.pos}") from None
    except RecursionError:
        raise MalformedPayloadError("nested too deeply") from None


def text_at(node: object, *path: str | int) -> str | None:
    """Return the string at a path, or None where a key is absent or null.

    Raises MalformedPayloadError where the path leads through anything else, as .NET's JsonNode does.
    """
    for key in path:
        if node is None:
            return None
        if isinstance(key, str) and isinstance(node, dict):
            node = node.get(key)
        elif isinstance(key, int) and isinstance(node, list) and key < len(node):
            node = node[key]
        else:
            raise MalformedPayloadError(f"nothing can be read at {key!r}")
    if node is not None and not isinstance(node, str):
        raise MalformedPayloadError(f"no string at {path[-1]!r}")
    return node


def message_in(payload: object) -> Message | None:
    """Return the message of an `event_callback`, or None for every event that the Dispatcher ignores."""
    if text_at(payload, "event", "type") not in MESSAGE_TYPES or (text_at(payload, "event", "bot_id") or "").strip():
        return None
    text, user, channel = (text_at(payload, "event", name) or "" for name in ("text", "user", "channel"))
    text = _without_mention(text)
    return Message(text, user, channel) if text else None


def interaction_json(body: str) -> str | None:
    """Return the form field `payload` of an interaction, or None where it is missing or blank."""
    payload = ",".join(parse_qs(body, keep_blank_values=True).get("payload", []))
    return payload if payload.strip() else None


def press_in(payload: object) -> Press | None:
    """Return the press of a `block_actions` payload, or None for an action that is not one of the Dispatcher's."""
    channel = text_at(payload, "channel", "id") or ""
    question, separator, answer = (text_at(payload, "actions", 0, "action_id") or "").rpartition(":")
    return Press(channel, question, answer, payload) if separator else None


def _refuse_constant(name: str) -> None:
    raise MalformedPayloadError(f"{name} is not JSON")


def _without_mention(text: str) -> str:
    text = text.strip()
    if text.startswith("<@") and ">" in text:
        text = text.partition(">")[2].lstrip()
    return text
