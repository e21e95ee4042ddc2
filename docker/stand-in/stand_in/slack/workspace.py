# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels and messages of the stand-in Slack. They live in memory, and end with the process."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_CHANNELS = 200
MOST_MESSAGES = 500
"""Messages kept in a channel; the oldest go first."""
TEAM = "T0STANDIN"
APP = "A0STANDIN"
BOT = "B0STANDIN"
BOT_USER = "U0AGENTSMITH"
PERSON = "U0PERSON"
_FIRST_CHANNELS = {"C0AGENTSMITH": "agent-smith", "C0ANOTHER": "another-channel"}
_CHANNEL_NAME = re.compile(r"[a-z0-9_-]{1,80}")


class WorkspaceError(Exception):
    """What was asked for is not possible; the message is one of Slack's error codes."""


@dataclass
class Message:
    """One message. `delivery` tells how the Dispatcher took a person's message, once it has.

    `thread_ts` is the timestamp of the message that it replies to; the page shows it below all others.
    """

    ts: str
    user: str
    text: str
    bot: bool = False
    blocks: list[object] = field(default_factory=list)
    edited: bool = False
    delivery: str | None = None
    thread_ts: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return it in the shape of Slack's message objects, `delivery` added."""
        node: dict[str, object] = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        if self.bot:
            node["bot_id"] = BOT
        if self.blocks:
            node["blocks"] = self.blocks
        if self.edited:
            node["edited"] = {"user": self.user}
        if self.thread_ts is not None:
            node["thread_ts"] = self.thread_ts
        if self.delivery is not None:
            node["delivery"] = self.delivery
        return node


@dataclass
class Channel:
    """One channel with its messages by their timestamp, the oldest first."""

    id: str
    name: str
    messages: dict[str, Message] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it in the shape of Slack's channel objects."""
        return {"id": self.id, "name": self.name, "is_channel": True}


class Workspace:
    """All channels, and who wants to know of changes."""

    def __init__(self) -> None:
        self._channels = {id_: Channel(id_, name) for id_, name in _FIRST_CHANNELS.items()}
        self._last_microseconds = 0
        self._watchers: set[asyncio.Queue[dict[str, object] | None]] = set()

    @property
    def channels(self) -> list[Channel]:
        """All channels, the oldest first."""
        return list(self._channels.values())

    def channel(self, channel_id: object) -> Channel:
        """Return a channel. Raises WorkspaceError."""
        channel = self._channels.get(channel_id) if isinstance(channel_id, str) else None
        if channel is None:
            raise WorkspaceError("channel_not_found")
        return channel

    def add_channel(self, name: object) -> Channel:
        """Make a channel. Raises WorkspaceError."""
        if not isinstance(name, str) or not _CHANNEL_NAME.fullmatch(name):
            raise WorkspaceError("invalid_name")
        if any(channel.name == name for channel in self._channels.values()):
            raise WorkspaceError("name_taken")
        if len(self._channels) >= MOST_CHANNELS:
            raise WorkspaceError("too_many_channels")
        channel = Channel("C" + secrets.token_hex(5).upper(), name)
        self._channels[channel.id] = channel
        self._tell({"channel": channel.to_json()})
        return channel

    def post(self, channel: Channel, message: Message) -> None:
        """Add a message to a channel."""
        channel.messages[message.ts] = message
        while len(channel.messages) > MOST_MESSAGES:
            del channel.messages[next(iter(channel.messages))]
        self.changed(channel, message)

    def message(self, channel: Channel, ts: object) -> Message:
        """Return a message of a channel. Raises WorkspaceError."""
        message = channel.messages.get(ts) if isinstance(ts, str) else None
        if message is None:
            raise WorkspaceError("message_not_found")
        return message

    def next_ts(self) -> str:
        """Return the timestamp of a new message: seconds and microseconds, never the same twice."""
        self._last_microseconds = max(self._last_microseconds + 1, time.time_ns() // 1000)
        return f"{self._last_microseconds // 10**6}.{self._last_microseconds % 10**6:06d}"

    def changed(self, channel: Channel, message: Message) -> None:
        """Tell all watchers what a message is like now."""
        self._tell({"channel_id": channel.id, "message": message.to_json()})

    @contextmanager
    def watching(self) -> Iterator[asyncio.Queue[dict[str, object] | None]]:
        """Yield a queue that gets every change from now on, and None for the end of it."""
        queue: asyncio.Queue[dict[str, object] | None] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    def stop_watching(self) -> None:
        """Tell every watcher that nothing follows, so that the requests behind them end."""
        for queue in self._watchers:
            queue.put_nowait(None)

    def _tell(self, change: dict[str, object]) -> None:
        for queue in self._watchers:
            queue.put_nowait(change)
