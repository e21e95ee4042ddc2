# SPDX-License-Identifier: GPL-3.0-or-later
"""`create ticket "T" in P`: no provider of the app at Phase 19 can do it, and this is how it says so."""

from __future__ import annotations

from collections.abc import Mapping

from stand_in.configuration import ConfigurationError, load_configuration
from stand_in.dispatcher.chat_intent import CreateTicket
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.provider_credentials import require_tickets

NOT_SUPPORTED = "CreateAsync is not supported by ITicketProvider"


class CreateTicketHandler:
    """Refuses to create a ticket."""

    def __init__(self, slack: SlackAdapter, environment: Mapping[str, str]) -> None:
        self._slack = slack
        self._environment = environment

    async def handle(self, intent: CreateTicket, channel: str) -> None:
        """Post why there is no ticket."""
        try:
            project = load_configuration().projects.get(intent.project)
            if project is None:
                await self._slack.send_message(channel, f":x: Project *{intent.project}* not found in configuration.")
                return
            require_tickets(project, self._environment)
        except ConfigurationError as error:
            await self._slack.send_error(channel, str(error))
            return
        await self._slack.send_error(channel, NOT_SUPPORTED)
