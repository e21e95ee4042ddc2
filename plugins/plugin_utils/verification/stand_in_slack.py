# SPDX-License-Identifier: GPL-3.0-or-later
"""A person in the stand-in Slack, by the JSON API of its page: docker/stand-in/README.md."""

import json
from collections.abc import Callable
from typing import Any

from ..api.http_over_socket import Answer
from ..objects.errors import ApplyError

Send = Callable[[str, str, bytes], Answer]
"""Sends one request (method, path, body) and returns the answer."""


class SlackRefused(ApplyError):
    """The stand-in Slack did not do what it was asked."""


class StandInSlack:
    """Makes channels, writes and reads. Every method raises SlackRefused, and what `send` raises."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def add_channel(self, name: str) -> str:
        """Make a channel and return its id."""
        return str(self._call("POST", "/channels", "id", {"name": name}))

    def say(self, channel: str, text: str) -> str:
        """Write a message and return its timestamp."""
        return str(self._call("POST", f"/channels/{channel}/messages", "ts", {"text": text}))

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Return a channel's messages in Slack's shape, the oldest first."""
        return list(self._call("GET", f"/channels/{channel}/messages", "messages"))

    def _call(self, method: str, path: str, wanted: str, body: object = None) -> Any:
        answer = self._send(method, f"/stand-in{path}", b"" if body is None else json.dumps(body).encode())
        content = answer.fields
        if content and answer.status not in (200, 201):
            raise SlackRefused(f"{path}: {answer.status} {content.get('error')}")
        if wanted not in content:
            raise SlackRefused(f"{path}: {answer.status}, and no JSON with {wanted}: this is no stand-in Slack")
        return content[wanted]
