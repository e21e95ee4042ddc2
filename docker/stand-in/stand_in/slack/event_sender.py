# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slack sends to an app's two URLs, signed: https://api.slack.com/apis/events-api"""

from __future__ import annotations

import json
import logging
import time
import uuid
from urllib.parse import urlencode

import aiohttp

from stand_in.slack.workspace import APP, PERSON, TEAM, Channel, Message
from stand_in.slack_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, slack_signature

TIMEOUT = 3.0
"""Seconds in which an app has to answer."""
DELIVERED = "delivered"

_log = logging.getLogger("stand_in.slack")


class EventSender:
    """Sends to one Dispatcher. Slack would repeat an event that fails; here it is shown in the channel instead."""

    def __init__(self, dispatcher_url: str, signing_secret: str) -> None:
        self._dispatcher_url = dispatcher_url.rstrip("/")
        self._signing_secret = signing_secret

    async def send_message(self, channel: Channel, message: Message) -> str:
        """Send a person's message. Returns DELIVERED or what went wrong."""
        event = {
            "type": "message",
            "channel": channel.id,
            "channel_type": "channel",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "event_ts": message.ts,
        }
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
            "event_time": int(time.time()),
            "event": event,
        }
        return await self._send("/slack/events", json.dumps(body), "application/json")

    async def send_action(self, channel: Channel, message: Message, action: dict[str, object]) -> str:
        """Send a pressed button. Returns as send_message() does."""
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "api_app_id": APP,
            "user": {"id": PERSON, "team_id": TEAM},
            "channel": {"id": channel.id, "name": channel.name},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": channel.id},
            "message": message.to_json(),
            "actions": [action],
        }
        form = urlencode({"payload": json.dumps(payload)})
        return await self._send("/slack/interact", form, "application/x-www-form-urlencoded")

    async def _send(self, path: str, text: str, content_type: str) -> str:
        body = text.encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: slack_signature(self._signing_secret, timestamp, body),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session,
                session.post(self._dispatcher_url + path, data=body, headers=headers) as response,
            ):
                result = await _result_of(response)
        except TimeoutError:
            result = f"no answer of the Dispatcher within {TIMEOUT:g} s"
        except aiohttp.ClientError as error:
            result = f"the Dispatcher cannot be reached: {error}"
        if result != DELIVERED:
            _log.warning("%s: %s", path, result)
        return result


async def _result_of(response: aiohttp.ClientResponse) -> str:
    if response.status != 200:
        return f"HTTP {response.status} from the Dispatcher"
    # Slack would not mind. But the app answers an event with nothing, so that a page comes from something before it.
    if await response.content.read(1):
        return f"HTTP 200 with {response.content_type} in it, which is no answer of the Dispatcher"
    return DELIVERED
