# SPDX-License-Identifier: GPL-3.0-or-later
"""Works on the messages of people: finds out what they ask for, and has it done or says why not."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stand_in.dispatcher.chat_intent import (
    CreateTicket,
    FixTicket,
    Greeting,
    Help,
    Intent,
    ListTickets,
    Unknown,
    parse_intent,
)
from stand_in.dispatcher.clarification_state import Clarification, Clarifications
from stand_in.dispatcher.create_ticket import CreateTicketHandler
from stand_in.dispatcher.fix_ticket import PLATFORM, FixTicketHandler
from stand_in.dispatcher.free_text import FreeText
from stand_in.dispatcher.help_texts import GREETING, HELP, unknown_text
from stand_in.dispatcher.list_tickets import ListTicketsHandler
from stand_in.dispatcher.project_resolution import Ambiguity, Refusal, with_project
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_payload import Message

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackMessageDispatcher")
_parser_log = logging.getLogger("AgentSmith.Dispatcher.Services.ChatIntentParser")
_help_log = logging.getLogger("AgentSmith.Dispatcher.Handlers.HelpHandler")


class MessageHandler:
    """Answers messages, after their HTTP request has been answered."""

    def __init__(
        self,
        slack: SlackAdapter,
        fix: FixTicketHandler,
        list_tickets: ListTicketsHandler,
        create_ticket: CreateTicketHandler,
        clarifications: Clarifications,
        free_text: FreeText,
        environment: Mapping[str, str],
    ) -> None:
        self._slack = slack
        self._fix = fix
        self._list = list_tickets
        self._create = create_ticket
        self._clarifications = clarifications
        self._free_text = free_text
        self._environment = environment

    async def handle(self, message: Message) -> None:
        """Answer one message. An error ends up in its channel."""
        try:
            await self._route(self._intent(message.text), message)
        except Exception as error:  # noqa: BLE001 - as the app
            _log.exception("Error dispatching message from %s in %s", message.user, message.channel)
            await self._slack.send_error(message.channel, str(error))

    def _intent(self, text: str) -> Intent | Refusal | Ambiguity:
        intent = parse_intent(text)
        _parser_log.info("Parsed intent %sIntent from '%s'", type(intent).__name__, text.strip())
        if isinstance(intent, Unknown):
            self._free_text.ask(text)
        return with_project(intent, self._environment)

    async def _route(self, intent: Intent | Refusal | Ambiguity, message: Message) -> None:
        channel = message.channel
        match intent:
            case FixTicket():
                await self._fix.handle(intent, channel, message.user)
            case ListTickets():
                await self._list.handle(intent, channel)
            case CreateTicket():
                await self._create.handle(intent, channel)
            case Help():
                await self._slack.send_message(channel, HELP)
            case Greeting():
                await self._slack.send_message(channel, GREETING)
            case Refusal(reason):
                await self._slack.send_error(channel, reason)
            case Ambiguity(suggestion):
                await self._ask(suggestion, message)
            case Unknown(text):
                await self._slack.send_message(channel, unknown_text(text))

    async def _ask(self, suggestion: str, message: Message) -> None:
        clarification = Clarification(suggestion, message.text.strip(), message.user)
        await self._clarifications.store(PLATFORM, message.channel, clarification)
        await self._slack.ask_whether_meant(message.channel, suggestion)
        _help_log.info("Sent clarification to %s: %s", message.channel, suggestion)
