# SPDX-License-Identifier: GPL-3.0-or-later
"""`create`: no ticket provider of the app can do it, so that there is never a ticket."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stand_in.configuration import ConfigurationError, load_configuration
from stand_in.dispatcher.chat_intent import CreateTicket
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.provider_credentials import require_tickets

NOT_SUPPORTED = "CreateAsync is not supported by ITicketProvider"

_log = logging.getLogger("AgentSmith.Dispatcher.Handlers.CreateTicketIntentHandler")


class CreateTicketHandler:
    """Refuses to create a ticket."""

    def __init__(self, slack: SlackAdapter, environment: Mapping[str, str]) -> None:
        self._slack = slack
        self._environment = environment

    async def handle(self, intent: CreateTicket, channel: str) -> None:
        """Post why there is no ticket."""
        try:
            reason = self._reason(intent.project)
        except ConfigurationError as error:
            _log.error("Failed to create ticket in project %s\n%s", intent.project, error)
            reason = str(error)
        await self._slack.send_error(channel, reason)

    def _reason(self, name: str) -> str:
        project = load_configuration().projects.get(name)
        if project is None:
            return f"Project *{name}* not found in configuration."
        require_tickets(project, self._environment)
        _log.error("Failed to create ticket in project %s\nSystem.NotSupportedException: %s", name, NOT_SUPPORTED)
        return NOT_SUPPORTED
