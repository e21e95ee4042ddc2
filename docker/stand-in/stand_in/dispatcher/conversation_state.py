# SPDX-License-Identifier: GPL-3.0-or-later
"""Which job runs for which channel: two Redis keys a job, with the app's names, format and lifetime."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from redis.asyncio import Redis

from stand_in.app_version import AppVersion
from stand_in.dispatcher.conversation import Conversation, conversation_key, from_json, index_key, to_json
from stand_in.redis_connection import RedisConnection

_log = logging.getLogger("AgentSmith.Dispatcher.Services.ConversationStateManager")


class Conversations:
    """The conversations of all channels. Every method raises RedisConnectionError where Redis is gone for too long."""

    def __init__(self, redis: RedisConnection, version: AppVersion) -> None:
        self._redis = redis
        self._version = version

    async def store(self, conversation: Conversation) -> None:
        """Write a channel's conversation, in place of any other."""
        key = conversation_key(conversation.platform, conversation.channel)
        await self._redis.run(
            lambda client: client.set(
                key, to_json(conversation, self._version.notes_activity), ex=self._version.conversation_lifetime
            )
        )

    async def index(self, conversation: Conversation) -> None:
        """Make a conversation known to of_job()."""
        key = conversation_key(conversation.platform, conversation.channel)
        await self._redis.run(
            lambda client: client.set(index_key(conversation.job_id), key, ex=self._version.conversation_lifetime)
        )

    async def in_channel(self, platform: str, channel: str) -> Conversation | None:
        """Return the conversation of a channel, if a job runs for it."""
        return await self._at(conversation_key(platform, channel))

    async def of_job(self, job_id: str) -> Conversation | None:
        """Return the conversation that a job belongs to, if it is still known."""
        key = await self._redis.run(lambda client: client.get(index_key(job_id)))
        return await self._at(key) if key else None

    async def set_pending_question(self, platform: str, channel: str, question: str | None) -> None:
        """Note the question that a channel's job waits for an answer to; None for no question any more."""
        conversation = await self.in_channel(platform, channel)
        if conversation is None:
            _log.warning("Cannot set pending question: no state for channel %s", channel)
            return
        await self.store(replace(conversation, pending_question=question))

    async def note_activity(self, conversation: Conversation) -> None:
        """Note that something was heard of a channel's job, in the versions that do."""
        if self._version.notes_activity:
            await self.store(replace(conversation, last_activity_at=datetime.now(UTC).isoformat()))

    async def all(self) -> list[Conversation]:
        """Return the conversations of all channels, whichever Dispatcher has begun them."""
        keys = await self._redis.run(_conversation_keys)
        conversations = [await self._at(key) for key in keys]
        return [conversation for conversation in conversations if conversation is not None]

    async def remove(self, platform: str, channel: str) -> None:
        """Forget a channel's conversation, so that the channel is free again."""
        conversation = await self.in_channel(platform, channel)
        keys = [conversation_key(platform, channel)]
        if conversation is not None:
            keys.append(index_key(conversation.job_id))
        await self._redis.run(lambda client: client.delete(*keys))

    async def _at(self, key: str) -> Conversation | None:
        text = await self._redis.run(lambda client: client.get(key))
        if not text:
            return None
        try:
            return from_json(text)
        except (ValueError, KeyError, TypeError):
            _log.warning("Failed to deserialize conversation state at %s", key)
            return None


async def _conversation_keys(client: Redis) -> list[str]:
    return [key async for key in client.scan_iter(match="conversation:*:*")]
