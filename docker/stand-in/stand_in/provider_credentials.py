# SPDX-License-Identifier: GPL-3.0-or-later
"""Which environment variables a provider needs before it does anything. The stand-in looks no further than that."""

from __future__ import annotations

from collections.abc import Mapping

from stand_in.configuration import ConfigurationError, Project

_TICKETS = {
    "azuredevops": ("AZURE_DEVOPS_TOKEN",),
    "github": ("GITHUB_TOKEN",),
    "gitlab": ("GITLAB_TOKEN",),
    "jira": ("JIRA_EMAIL", "JIRA_TOKEN"),
}
_SOURCE = {
    "azurerepos": ("AZURE_DEVOPS_TOKEN",),
    "github": ("GITHUB_TOKEN",),
    "gitlab": ("GITLAB_TOKEN",),
    "local": (),
}
_AGENT = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "claude": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY",),
    "google": ("GEMINI_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
}


def require_tickets(project: Project, environment: Mapping[str, str]) -> None:
    """Check the ticket provider. Raises ConfigurationError with the app's words; an empty variable counts as set."""
    kind = project.tickets_type.lower()
    _require("ticket", project.tickets_type, _TICKETS, environment)
    if kind == "gitlab" and project.tickets_project is None:
        _require_variable("GITLAB_PROJECT", environment)
    if kind == "jira" and project.tickets_url is None:
        _require_variable("JIRA_URL", environment)


def require_source(project: Project, environment: Mapping[str, str]) -> None:
    """Check the source provider, as require_tickets() does."""
    _require("source", project.source_type, _SOURCE, environment)


def require_agent(project: Project, environment: Mapping[str, str]) -> None:
    """Check the LLM provider, as require_tickets() does."""
    _require("agent", project.agent_type, _AGENT, environment)


def _require(kind: str, written: str, variables: Mapping[str, tuple[str, ...]], environment: Mapping[str, str]) -> None:
    if written.lower() not in variables:
        raise ConfigurationError(f"Unknown {kind} provider type: {written}")
    for name in variables[written.lower()]:
        _require_variable(name, environment)


def _require_variable(name: str, environment: Mapping[str, str]) -> None:
    if name not in environment:
        raise ConfigurationError(f"Required environment variable '{name}' is not set.")
