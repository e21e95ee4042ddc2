# SPDX-License-Identifier: GPL-3.0-or-later
"""The two Redis streams of a job, with the app's key names, limits, lifetimes and polling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from stand_in.bus_message import BusMessage, Kind
from stand_in.redis_connection import RedisConnection

STREAM_LENGTH = 1000
"""Entries that a stream keeps, approximately (MAXLEN ~)."""
LIFETIME = 2 * 60 * 60
"""Seconds that a stream lives after its last entry."""
POLL_INTERVAL = 0.5
"""Seconds between two XREADs of an empty stream."""
_BATCH = 10

_log = logging.getLogger("AgentSmith.Infrastructure.Bus.RedisMessageBus")


def outbound_key(job_id: str) -> str:
    """Return the key of the stream from the agent to the Dispatcher."""
    return f"job:{job_id}:out"


def inbound_key(job_id: str) -> str:
    """Return the key of the stream from the Dispatcher to the agent."""
    return f"job:{job_id}:in"


class MessageBus:
    """Sends and receives over one Redis. Every method raises RedisConnectionError where it is gone for too long."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def publish(self, message: BusMessage) -> None:
        """Send a message of the agent."""
        await self._add(outbound_key(message.job_id), message)

    async def publish_answer(self, job_id: str, question_id: str, content: str) -> None:
        """Send the answer to a question of the agent."""
        await self._add(inbound_key(job_id), BusMessage(Kind.ANSWER, job_id, question_id=question_id, content=content))

    async def subscribe(self, job_id: str) -> AsyncIterator[BusMessage]:
        """Yield the agent's messages, from the first one to Done or Error. There is no other end to it."""
        last_id = "0-0"
        while True:
            entries = await self._read(outbound_key(job_id), last_id, _BATCH)
            for entry_id, fields in entries:
                last_id = entry_id
                message = BusMessage.from_fields(job_id, fields)
                if message is None:
                    continue
                yield message
                if message.ends_the_job:
                    return
            if not entries:
                await asyncio.sleep(POLL_INTERVAL)

    async def read_answer(self, job_id: str, timeout: float) -> BusMessage | None:
        """Wait `timeout` seconds for an answer to the agent's question; None where none came."""
        deadline = asyncio.get_running_loop().time() + timeout
        last_id = "0-0"
        while asyncio.get_running_loop().time() < deadline:
            for entry_id, fields in await self._read(inbound_key(job_id), last_id, 1):
                last_id = entry_id
                message = BusMessage.from_fields(job_id, fields)
                if message is not None and message.kind == Kind.ANSWER:
                    return message
            await asyncio.sleep(POLL_INTERVAL)
        return None

    async def delete_streams(self, job_id: str) -> None:
        """Delete both streams of a job that has ended."""
        await self._redis.run(lambda client: client.delete(outbound_key(job_id), inbound_key(job_id)))
        _log.info("Cleaned up streams for job %s", job_id)

    async def _add(self, key: str, message: BusMessage) -> None:
        await self._redis.run(lambda client: client.xadd(key, message.fields(), maxlen=STREAM_LENGTH, approximate=True))
        await self._redis.run(lambda client: client.expire(key, LIFETIME))

    async def _read(self, key: str, last_id: str, count: int) -> list[tuple[str, dict[str, str]]]:
        streams = await self._redis.run(lambda client: client.xread({key: last_id}, count=count))
        return streams[0][1] if streams else []
