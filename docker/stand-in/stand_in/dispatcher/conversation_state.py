# SPDX-License-Identifier: GPL-3.0-or-later
"""Which job runs for which channel: two Redis keys a job, with the app's names, format and lifetime."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace

from stand_in.app_version import AppVersion
from stand_in.redis_connection import RedisConnection

_log = logging.getLogger("AgentSmith.Dispatcher.Services.ConversationStateManager")


@dataclass(frozen=True)
class Conversation:
    """The one job of a channel. Its times are ISO 8601 with their offset."""

    job_id: str
    channel: str
    user: str
    platform: str
    project: str
    ticket: int
    started_at: str
    last_activity_at: str
    pending_question: str | None = None


def conversation_key(platform: str, channel: str) -> str:
    """Return the key of a channel's conversation."""
    return f"conversation:{platform.lower()}:{channel}"


def index_key(job_id: str) -> str:
    """Return the key that leads from a job to the key of its conversation."""
    return f"job-index:{job_id}"


class Conversations:
    """The conversations of all channels. Every method raises RedisConnectionError where Redis is gone for too long."""

    def __init__(self, redis: RedisConnection, version: AppVersion) -> None:
        self._redis = redis
        self._version = version

    async def store(self, conversation: Conversation) -> None:
        """Write a channel's conversation, in place of any other."""
        key = conversation_key(conversation.platform, conversation.channel)
        await self._redis.run(
            lambda client: client.set(key, self._to_json(conversation), ex=self._version.conversation_lifetime)
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

    async def remove(self, platform: str, channel: str) -> None:
        """Forget a channel's conversation, so that the channel is free again."""
        conversation = await self.in_channel(platform, channel)
        keys = [conversation_key(platform, channel)]
        if conversation is not None:
            keys.append(index_key(conversation.job_id))
        await self._redis.run(lambda client: client.delete(*keys))

    def _to_json(self, conversation: Conversation) -> str:
        node = {
            "jobId": conversation.job_id,
            "channelId": conversation.channel,
            "userId": conversation.user,
            "platform": conversation.platform,
            "project": conversation.project,
            "ticketId": conversation.ticket,
            "startedAt": conversation.started_at,
            "pendingQuestionId": conversation.pending_question,
        }
        if self._version.notes_activity:
            node["lastActivityAt"] = conversation.last_activity_at
        return json.dumps(node, separators=(",", ":"))

    async def _at(self, key: str) -> Conversation | None:
        text = await self._redis.run(lambda client: client.get(key))
        if not text:
            return None
        try:
            return _from_json(text)
        except (ValueError, KeyError, TypeError):
            _log.warning("Failed to deserialize conversation state at %s", key)
            return None


def _from_json(text: str) -> Conversation:
    node = json.loads(text)
    return Conversation(
        job_id=node["jobId"],
        channel=node["channelId"],
        user=node["userId"],
        platform=node["platform"],
        project=node["project"],
        ticket=node["ticketId"],
        started_at=node["startedAt"],
        last_activity_at=node.get("lastActivityAt", node["startedAt"]),
        pending_question=node.get("pendingQuestionId"),
    )
