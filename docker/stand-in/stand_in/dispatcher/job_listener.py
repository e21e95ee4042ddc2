# SPDX-License-Identifier: GPL-3.0-or-later
"""Relays what a job says to its channel, for the jobs that this very process has spawned.

Subscriptions live in memory only: after a restart nobody listens to a job that still runs, as in the app.
"""

from __future__ import annotations

import asyncio
import logging

from stand_in.background_tasks import BackgroundTasks
from stand_in.bus_message import BusMessage, Kind
from stand_in.dispatcher.conversation import Conversation
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.failure_message import Failure
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.message_bus import MessageBus
from stand_in.process import cancel

_log = logging.getLogger("AgentSmith.Dispatcher.Services.MessageBusListener")


class JobListener:
    """One subscription a job."""

    def __init__(
        self, bus: MessageBus, conversations: Conversations, slack: SlackAdapter, tasks: BackgroundTasks
    ) -> None:
        self._bus = bus
        self._conversations = conversations
        self._slack = slack
        self._tasks = tasks
        self._subscriptions: dict[str, asyncio.Task] = {}

    def track(self, job_id: str) -> None:
        """Relay a job's messages from now on, to Done or Error."""
        self._subscriptions[job_id] = self._tasks.start(self._relay(job_id))
        _log.info("Started tracking job %s (%d active jobs)", job_id, len(self._subscriptions))

    async def give_up(self, conversation: Conversation) -> None:
        """Free the channel of a job that nothing more is expected of. Raises RedisConnectionError."""
        if subscription := self._subscriptions.get(conversation.job_id):
            await cancel(subscription)
        await self._end(conversation)

    async def _relay(self, job_id: str) -> None:
        try:
            async for message in self._bus.subscribe(job_id):
                await self._handle(message)
        except Exception:  # noqa: BLE001 - the app gives the job up too: it runs on, and nobody listens to it
            _log.exception("Subscription for job %s failed unexpectedly", job_id)
        finally:
            self._subscriptions.pop(job_id, None)

    async def _handle(self, message: BusMessage) -> None:
        conversation = await self._conversations.of_job(message.job_id)
        if conversation is None:
            _log.warning("Received message for unknown job %s, ignoring", message.job_id)
            return
        await self._conversations.note_activity(conversation)
        channel = conversation.channel
        if message.kind == Kind.PROGRESS:
            await self._slack.send_progress(channel, message.step or 0, message.total or 0, message.text)
        elif message.kind == Kind.QUESTION:
            await self._ask(conversation, message)
        elif message.kind == Kind.DONE:
            await self._slack.send_done(channel, message.summary, message.pr_url)
            await self._end(conversation)
            _log.info("Job %s completed successfully for channel %s", message.job_id, channel)
        elif message.kind == Kind.ERROR:
            failure = Failure(message.job_id, conversation.ticket, conversation.project, message.text)
            await self._slack.send_failure(channel, failure)
            await self._end(conversation)
            _log.error("Job %s failed for channel %s: %s", message.job_id, channel, message.text)

    async def _ask(self, conversation: Conversation, message: BusMessage) -> None:
        if not message.question_id.strip():
            _log.warning("Question message missing QuestionId for job %s", message.job_id)
            return
        await self._slack.ask(conversation.channel, message.question_id, message.text)
        await self._conversations.set_pending_question(conversation.platform, conversation.channel, message.question_id)

    async def _end(self, conversation: Conversation) -> None:
        await self._conversations.remove(conversation.platform, conversation.channel)
        await self._bus.delete_streams(conversation.job_id)
