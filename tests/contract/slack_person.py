# SPDX-License-Identifier: GPL-3.0-or-later
"""A person in the stand-in Slack, by the JSON API of its page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from awaiting import await_condition
from slack_request import request

CHANNEL = "C0AGENTSMITH"
"""The channel that is there from the start."""


@dataclass(frozen=True)
class SlackPerson:
    """Writes, reads and presses buttons at `url`."""

    url: str

    def call(self, method: str, path: str, body: object = None, status: int = 200) -> dict[str, object]:
        """Send one request and return the object that answers it. Raises AssertionError for any other status."""
        data = b"" if body is None else json.dumps(body).encode()
        answer = request(self.url, method, f"/stand-in{path}", data, {"Content-Type": "application/json"})
        assert answer.status == status, answer
        return json.loads(answer.body)

    def add_channel(self, name: str) -> str:
        """Make a channel and return its id."""
        return self.call("POST", "/channels", {"name": name}, 201)["id"]

    def say(self, text: str, channel: str = CHANNEL) -> dict[str, object]:
        """Write a message and return it."""
        return self.call("POST", f"/channels/{channel}/messages", {"text": text}, 201)

    def messages(self, channel: str = CHANNEL) -> list[dict[str, object]]:
        """Return a channel's messages, the oldest first."""
        return self.call("GET", f"/channels/{channel}/messages")["messages"]

    def texts(self, channel: str = CHANNEL) -> list[str]:
        """Return the texts of them."""
        return [message["text"] for message in self.messages(channel)]

    def await_message(
        self, pattern: str, channel: str = CHANNEL, count: int = 1, timeout: float = 30.0
    ) -> dict[str, object]:
        """Wait until `count` messages of the bot match and return the last one."""

        def matching() -> list[dict[str, object]]:
            found = [m for m in self.messages(channel) if "bot_id" in m and re.search(pattern, m["text"])]
            return found if len(found) >= count else []

        try:
            return await_condition(matching, timeout)[-1]
        except AssertionError:
            raise AssertionError(f"no {pattern!r} within {timeout} s in {self.texts(channel)}") from None

    def press(self, message: dict[str, object], value: str, channel: str = CHANNEL) -> None:
        """Press the button of a message that stands for a value."""
        (buttons,) = (block["elements"] for block in message["blocks"] if block["type"] == "actions")
        (action_id,) = (button["action_id"] for button in buttons if button.get("value") == value)
        path = f"/channels/{channel}/messages/{message['ts']}/actions"
        assert self.call("POST", path, {"action_id": action_id}) == {"delivery": "delivered"}
