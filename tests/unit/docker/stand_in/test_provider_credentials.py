# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables the providers need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stand_in.configuration import ConfigurationError, Project
from stand_in.provider_credentials import require_agent, require_source, require_tickets

PROJECT = Project(tickets_url="https://example.com", tickets_project="p")


@pytest.mark.parametrize(
    ("part", "kind", "variables"),
    [
        ("tickets", "AzureDevOps", ["AZURE_DEVOPS_TOKEN"]),
        ("tickets", "github", ["GITHUB_TOKEN"]),
        ("tickets", "GitLab", ["GITLAB_TOKEN"]),
        ("tickets", "Jira", ["JIRA_EMAIL", "JIRA_TOKEN"]),
        ("source", "AzureRepos", ["AZURE_DEVOPS_TOKEN"]),
        ("source", "GitHub", ["GITHUB_TOKEN"]),
        ("source", "gitlab", ["GITLAB_TOKEN"]),
        ("source", "local", []),
        ("agent", "Claude", ["ANTHROPIC_API_KEY"]),
        ("agent", "anthropic", ["ANTHROPIC_API_KEY"]),
        ("agent", "OpenAI", ["OPENAI_API_KEY"]),
        ("agent", "gemini", ["GEMINI_API_KEY"]),
        ("agent", "Google", ["GEMINI_API_KEY"]),
    ],
)
def test_required_variables(part: str, kind: str, variables: list[str]) -> None:
    require = {"tickets": require_tickets, "source": require_source, "agent": require_agent}[part]
    project = replace(PROJECT, **{f"{part}_type": kind})
    # An empty variable is a set one: it fails at the provider, later.
    environment = dict.fromkeys(variables, "")
    require(project, environment)
    for name in variables:
        others = {key: value for key, value in environment.items() if key != name}
        with pytest.raises(ConfigurationError) as caught:
            require(project, others)
        assert str(caught.value) == f"Required environment variable '{name}' is not set."


@pytest.mark.parametrize(
    ("kind", "variable", "missing"),
    [("gitlab", "GITLAB_PROJECT", {"tickets_project": None}), ("jira", "JIRA_URL", {"tickets_url": None})],
)
def test_what_the_configuration_may_leave_to_a_variable(kind: str, variable: str, missing: dict[str, None]) -> None:
    project = replace(PROJECT, tickets_type=kind, **missing)
    environment = dict.fromkeys(["GITLAB_TOKEN", "JIRA_EMAIL", "JIRA_TOKEN"], "x")
    with pytest.raises(ConfigurationError, match=f"'{variable}' is not set"):
        require_tickets(project, environment)
    require_tickets(project, environment | {variable: "x"})


@pytest.mark.parametrize(
    ("require", "message"),
    [
        (require_tickets, "Unknown ticket provider type: SVN"),
        (require_source, "Unknown source provider type: SVN"),
        (require_agent, "Unknown agent provider type: SVN"),
    ],
)
def test_an_unknown_provider(require: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        require(replace(PROJECT, tickets_type="SVN", source_type="SVN", agent_type="SVN"), {})
    assert str(caught.value) == message
