# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that Slack sends to an app's request URLs.

Events: https://api.slack.com/apis/events-api. Interactions: https://api.slack.com/reference/interaction-payloads.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

TYPES = ("url_verification", "message", "app_mention", "block_actions")
# What real ids look like, and none of them is one.
TEAM = "T0AGENTSMITH"
APP = "A0AGENTSMITH"


@dataclass(frozen=True)
class Payload:
    """A request's body and its Content-Type."""

    body: bytes
    content_type: str


def url_verification(challenge: str) -> Payload:
    """Return what Slack sends when somebody saves a request URL. The app answers with the challenge."""
    return _event({"type": "url_verification", "token": "", "challenge": challenge})


def message(kind: str, text: str, channel: str, user: str, now: float) -> Payload:
    """Return a person's message, as a `message` or an `app_mention` event.

    :param now: seconds since the epoch, which becomes the message's timestamp.
    """
    timestamp = f"{now:.6f}"
    event = {"type": kind, "channel": channel, "user": user, "text": text, "ts": timestamp, "event_ts": timestamp}
    if kind == "message":
        event["channel_type"] = "channel"
    return _event(
        {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
            "event_time": int(now),
            "event": event,
        }
    )


def block_actions(action: Mapping[str, str], channel: str, user: str, message_ts: str, now: float) -> Payload:
    """Return a pressed button.

    :param action: `action_id`, `block_id` and `value` of the button.
    :param message_ts: timestamp of the message that has the button.
    :param now: seconds since the epoch.
    """
    payload = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "api_app_id": APP,
        "user": {"id": user, "team_id": TEAM},
        "channel": {"id": channel},
        "container": {"type": "message", "message_ts": message_ts, "channel_id": channel},
        "message": {"type": "message", "ts": message_ts, "text": ""},
        "actions": [{"type": "button", "action_ts": f"{now:.6f}", **action}],
    }
    return Payload(urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded")


def _event(content: Mapping[str, Any]) -> Payload:
    return Payload(json.dumps(content).encode(), "application/json")
