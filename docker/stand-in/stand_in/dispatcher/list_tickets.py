# SPDX-License-Identifier: GPL-3.0-or-later
"""`list`: answered by the Dispatcher itself, with real tickets for Azure DevOps alone, as in the app."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stand_in.configuration import ConfigurationError, load_configuration
from stand_in.dispatcher.chat_intent import ListTickets
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.provider_credentials import require_tickets
from stand_in.tickets import TICKETS, Ticket

LONGEST_LIST = 20

_log = logging.getLogger("AgentSmith.Dispatcher.Handlers.ListTicketsIntentHandler")


class ListTicketsHandler:
    """Shows the tickets of a project."""

    def __init__(self, slack: SlackAdapter, environment: Mapping[str, str]) -> None:
        self._slack = slack
        self._environment = environment

    async def handle(self, intent: ListTickets, channel: str) -> None:
        """Post the list, or what is wrong with the configuration."""
        try:
            text = self._list(intent.project)
        except ConfigurationError as error:
            _log.error("Failed to list tickets for project %s\n%s", intent.project, error)
            text = f":x: {error}"
        await self._slack.send_message(channel, text)

    def _list(self, name: str) -> str:
        project = load_configuration().projects.get(name)
        if project is None:
            return f":x: Project *{name}* not found in configuration."
        require_tickets(project, self._environment)
        # The other providers of the app list nothing, whatever there is.
        return tickets_text(name, TICKETS if project.tickets_type.lower() == "azuredevops" else ())


def tickets_text(project: str, tickets: tuple[Ticket, ...]) -> str:
    """Return the message for a list of tickets."""
    if not tickets:
        return f":white_check_mark: No open tickets found in *{project}*."
    lines = [f"• *#{ticket.number}* — {ticket.title} `[{ticket.status}]`" for ticket in tickets[:LONGEST_LIST]]
    return "\n".join([f":ticket: *Open tickets in {project}* ({len(tickets)} total):", *lines])
