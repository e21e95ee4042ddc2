# SPDX-License-Identifier: GPL-3.0-or-later
"""From a pressed button to the agent that waits for the answer."""

from __future__ import annotations

import logging

from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.fix_ticket import PLATFORM
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_payload import Answer, text_at
from stand_in.message_bus import MessageBus

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackInteractionHandler")


class InteractionHandler:
    """Hands answers on, after their HTTP request has been answered."""

    def __init__(self, bus: MessageBus, conversations: Conversations, slack: SlackAdapter) -> None:
        self._bus = bus
        self._conversations = conversations
        self._slack = slack

    async def handle(self, answer: Answer, payload: object) -> None:
        """Hand one answer to the job of its channel, unless that job has asked something else or nothing."""
        try:
            await self._hand_on(answer, payload)
        except Exception:  # noqa: BLE001 - as the app
            _log.exception("Error handling Slack interaction for channel %r", answer.channel)

    async def _hand_on(self, answer: Answer, payload: object) -> None:
        conversation = await self._conversations.in_channel(PLATFORM, answer.channel)
        if conversation is None:
            _log.warning("Received interaction for channel %r but no active job found", answer.channel)
            return
        if conversation.pending_question != answer.question:
            _log.warning(
                "Received answer for question %r but pending question is %r",
                answer.question,
                conversation.pending_question,
            )
            return
        await self._bus.publish_answer(conversation.job_id, answer.question, answer.answer)
        timestamp = text_at(payload, "message", "ts") or ""
        question = text_at(payload, "actions", 0, "block_id")
        if timestamp.strip():
            await self._slack.show_answer(
                answer.channel, timestamp, answer.question if question is None else question, answer.answer
            )
        await self._conversations.set_pending_question(PLATFORM, answer.channel, None)
        _log.info("Answer for question %r forwarded to job %s", answer.question, conversation.job_id)
