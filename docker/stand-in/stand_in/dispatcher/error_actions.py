# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons under the message about a failed job: Retry and Contact Owner. View Logs is a link."""

from __future__ import annotations

import logging

from stand_in.dispatcher.chat_intent import LARGEST_TICKET, FixTicket
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.failure_message import CONTACT, RETRY
from stand_in.dispatcher.fix_ticket import PLATFORM, FixTicketHandler
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_payload import Press

BUSY = ":hourglass: A job is already running. Please wait."

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackErrorActionHandler")


class ErrorActionHandler:
    """Does what the buttons promise."""

    def __init__(self, fix: FixTicketHandler, conversations: Conversations, slack: SlackAdapter, owner: str) -> None:
        """`owner` is who is called for a button without a value."""
        self._fix = fix
        self._conversations = conversations
        self._slack = slack
        self._owner = owner

    async def handle(self, press: Press) -> None:
        """Work on one press. Raises KubernetesError, RedisConnectionError."""
        if press.answer == RETRY:
            await self._retry(press)
        elif press.answer == CONTACT:
            await self._contact(press)
        else:
            _log.debug("Ignoring unknown error action: %s", press.answer)

    async def _retry(self, press: Press) -> None:
        intent = retried(press.value)
        if intent is None:
            _log.warning("Invalid retry value: %s", press.value)
            return
        if await self._conversations.in_channel(PLATFORM, press.channel) is not None:
            await self._slack.send_message(press.channel, BUSY)
            return
        await self._fix.handle(intent, press.channel, press.user)

    async def _contact(self, press: Press) -> None:
        owner = press.value or self._owner
        if not owner:
            _log.warning("Contact clicked but no owner configured")
            return
        await self._slack.send_message(
            press.channel, f":bust_in_silhouette: <@{owner}> — a user needs help with a failed job."
        )


def retried(value: str) -> FixTicket | None:
    """Return what the button's value asks for, `<ticket>:<project>`; None for any other value."""
    ticket, separator, project = value.partition(":")
    if not (separator and project and ticket.isascii() and ticket.isdigit() and int(ticket) <= LARGEST_TICKET):
        return None
    return FixTicket(int(ticket), project)
