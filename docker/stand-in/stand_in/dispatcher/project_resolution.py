# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the project of a message that names none, in the configuration and at the ticket providers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stand_in.configuration import ConfigurationError, Project, load_configuration
from stand_in.dispatcher.chat_intent import FixTicket, Intent, ListTickets
from stand_in.provider_credentials import require_tickets
from stand_in.tickets import TICKETS

SEVERAL_PROJECTS = "Multiple projects configured. Please specify: `list tickets in <project>`"

_log = logging.getLogger("AgentSmith.Dispatcher.Services.ProjectResolver")


@dataclass(frozen=True)
class Refusal:
    """The project cannot be found out, and why."""

    reason: str


@dataclass(frozen=True)
class Ambiguity:
    """More than one project has the ticket: what is asked."""

    suggestion: str


def with_project(intent: Intent, environment: Mapping[str, str]) -> Intent | Refusal | Ambiguity:
    """Return an intent that has its project, as far as it needs one. Raises ConfigurationError."""
    match intent:
        case FixTicket(ticket, project=""):
            return _resolve_fix(intent, _projects_with(ticket, environment))
        case ListTickets(project=""):
            projects = list(load_configuration().projects)
            return replace(intent, project=projects[0]) if len(projects) == 1 else Refusal(SEVERAL_PROJECTS)
    return intent


def _resolve_fix(intent: FixTicket, found: list[str]) -> FixTicket | Refusal | Ambiguity:
    if not found:
        return Refusal(f"Ticket #{intent.ticket} was not found in any configured project.")
    if len(found) == 1:
        return replace(intent, project=found[0])
    projects = ", ".join(f"*{name}*" for name in found)
    return Ambiguity(
        f"Ticket #{intent.ticket} found in {projects}. Please specify: `fix #{intent.ticket} in <project>`"
    )


def _projects_with(ticket: int, environment: Mapping[str, str]) -> list[str]:
    """Return the projects that may be meant. A single one is meant without a look at its tickets."""
    projects = load_configuration().projects
    if len(projects) == 1:
        return list(projects)
    return [name for name, project in projects.items() if _has(name, project, ticket, environment)]


def _has(name: str, project: Project, ticket: int, environment: Mapping[str, str]) -> bool:
    """Ask a project's ticket provider. Whatever goes wrong, the app takes it for a ticket that is not there."""
    try:
        require_tickets(project, environment)
    except ConfigurationError as error:
        _log.debug("Ticket #%d not found in %s: %s", ticket, name, error)
        return False
    return any(known.number == ticket for known in TICKETS)
