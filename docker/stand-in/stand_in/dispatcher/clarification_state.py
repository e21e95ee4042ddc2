# SPDX-License-Identifier: GPL-3.0-or-later
"""The question of every channel whose message could mean more than one project, in Redis."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stand_in.redis_connection import RedisConnection

LIFETIME = 2 * 60 * 60
"""Seconds."""


@dataclass(frozen=True)
class Clarification:
    """What a channel was asked, and the message of which user it was about."""

    suggestion: str
    message: str
    user: str


class Clarifications:
    """The open questions of all channels. Every method raises RedisConnectionError where Redis is gone for too long."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def store(self, platform: str, channel: str, clarification: Clarification) -> None:
        """Write a channel's question, in place of any other."""
        text = json.dumps(
            {
                "suggestedText": clarification.suggestion,
                "originalInput": clarification.message,
                "userId": clarification.user,
            },
            separators=(",", ":"),
        )
        await self._redis.run(lambda client: client.set(_key(platform, channel), text, ex=LIFETIME))

    async def take(self, platform: str, channel: str) -> Clarification | None:
        """Return a channel's question and forget it; None for a channel without a readable one."""
        text = await self._redis.run(lambda client: client.get(_key(platform, channel)))
        if not text:
            return None
        try:
            node = json.loads(text)
            clarification = Clarification(node["suggestedText"], node["originalInput"], node["userId"])
        except (ValueError, KeyError, TypeError):
            return None
        await self._redis.run(lambda client: client.delete(_key(platform, channel)))
        return clarification


def _key(platform: str, channel: str) -> str:
    return f"clarification:{platform.lower()}:{channel}"
