# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of a message to the handler of what it asks for."""

from __future__ import annotations

import logging

from stand_in.dispatcher.chat_intent import CreateTicket, FixTicket, ListTickets, parse_intent
from stand_in.dispatcher.create_ticket import CreateTicketHandler
from stand_in.dispatcher.fix_ticket import FixTicketHandler
from stand_in.dispatcher.list_tickets import ListTicketsHandler
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_payload import Message

NOT_UNDERSTOOD = (
    ":question: I didn't understand that. Try:\n"
    "• `fix #65 in todo-list`\n"
    "• `list tickets in todo-list`\n"
    '• `create ticket "Add logging" in todo-list`'
)

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackMessageDispatcher")


class MessageHandler:
    """Answers messages, after their HTTP request has been answered."""

    def __init__(
        self,
        slack: SlackAdapter,
        fix: FixTicketHandler | None,
        list_tickets: ListTicketsHandler,
        create_ticket: CreateTicketHandler,
    ) -> None:
        """Without a handler for `fix`, which means outside a cluster, no message is answered at all."""
        self._slack = slack
        self._fix = fix
        self._list = list_tickets
        self._create = create_ticket

    async def handle(self, message: Message) -> None:
        """Answer one message. An error ends up in its channel."""
        if self._fix is None:
            _log.warning("Message in channel %r dropped: Kubernetes is not available", message.channel)
            return
        try:
            await self._route(message)
        except Exception as error:  # noqa: BLE001 - as the app
            _log.exception("Error dispatching Slack message from %r in %r", message.user, message.channel)
            await self._slack.send_error(message.channel, str(error))

    async def _route(self, message: Message) -> None:
        intent = parse_intent(message.text)
        # The text itself stays out of the log, unlike the app's: people paste secrets into chats.
        _log.info("Parsed intent %s (user=%r, channel=%r)", type(intent).__name__, message.user, message.channel)
        match intent:
            case FixTicket():
                await self._fix.handle(intent, message)
            case ListTickets():
                await self._list.handle(intent, message.channel)
            case CreateTicket():
                await self._create.handle(intent, message.channel)
            case None:
                await self._slack.send_message(message.channel, NOT_UNDERSTOOD)
