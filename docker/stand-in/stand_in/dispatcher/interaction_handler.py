# SPDX-License-Identifier: GPL-3.0-or-later
"""Works on pressed buttons: a job's question, an ambiguous message, a failed job."""

from __future__ import annotations

import logging

from stand_in.dispatcher.clarification_state import Clarifications
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.error_actions import ErrorActionHandler
from stand_in.dispatcher.failure_message import PREFIX as FAILURE
from stand_in.dispatcher.fix_ticket import PLATFORM
from stand_in.dispatcher.help_texts import HELP
from stand_in.dispatcher.message_handler import MessageHandler
from stand_in.dispatcher.slack_adapter import CLARIFICATION, CONFIRM, SlackAdapter
from stand_in.dispatcher.slack_payload import Message, Press
from stand_in.message_bus import MessageBus

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackInteractionHandler")


class InteractionHandler:
    """Works on presses, after their HTTP request has been answered."""

    def __init__(
        self,
        bus: MessageBus,
        conversations: Conversations,
        clarifications: Clarifications,
        messages: MessageHandler,
        errors: ErrorActionHandler,
        slack: SlackAdapter,
    ) -> None:
        self._bus = bus
        self._conversations = conversations
        self._clarifications = clarifications
        self._messages = messages
        self._errors = errors
        self._slack = slack

    async def handle(self, press: Press) -> None:
        """Work on one press. Whatever goes wrong is logged, and nobody in the channel hears of it."""
        try:
            if press.question == CLARIFICATION:
                await self._clarify(press)
            elif press.question == FAILURE:
                await self._errors.handle(press)
            else:
                await self._hand_on(press)
        except Exception:  # noqa: BLE001 - as the app
            _log.exception("Error handling interaction for channel %s", press.channel)

    async def _clarify(self, press: Press) -> None:
        """Take the suggestion for a message of its own, which the grammar does not know: the app's fault."""
        pending = await self._clarifications.take(PLATFORM, press.channel)
        if pending is None:
            _log.warning("Clarification clicked but no pending state for %s", press.channel)
            return
        confirmed = press.answer == CONFIRM
        if press.message_timestamp.strip():
            shown = "Confirmed" if confirmed else "Showing help"
            await self._slack.show_answer(press.channel, press.message_timestamp, "Clarification", shown)
        if confirmed:
            await self._messages.handle(Message(pending.suggestion, pending.user, press.channel))
        else:
            await self._slack.send_message(press.channel, HELP)

    async def _hand_on(self, press: Press) -> None:
        """Hand an answer to the job of its channel, unless that job has asked something else or nothing."""
        conversation = await self._conversations.in_channel(PLATFORM, press.channel)
        if conversation is None:
            _log.warning("Interaction for %s but no active job found", press.channel)
            return
        if conversation.pending_question != press.question:
            _log.warning("Answer for %s but pending is %s", press.question, conversation.pending_question)
            return
        await self._bus.publish_answer(conversation.job_id, press.question, press.answer)
        if press.message_timestamp.strip():
            question = press.question if press.block_id is None else press.block_id
            await self._slack.show_answer(press.channel, press.message_timestamp, question, press.answer)
        await self._conversations.set_pending_question(PLATFORM, press.channel, None)
        _log.info("Answer '%s' for '%s' forwarded to %s", press.answer, press.question, conversation.job_id)
