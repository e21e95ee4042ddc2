# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of the Secret a configuration calls for, and who can see them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import (
    SECRET_KEYS,
    SOURCE_PROVIDERS,
    TICKETS_PROVIDERS,
)


def project(source: str = "GitHub", tickets: str = "GitHub", agent: str = "Claude") -> dict[str, Any]:
    return {"source": {"type": source}, "tickets": {"type": tickets}, "agent": {"type": agent}}


def needed(**projects: dict[str, Any]) -> dict[str, tuple[str, bool, bool]]:
    """Key of the Secret to variable, read by the Dispatcher, seen by the Jobs."""
    report = examine({"projects": projects})
    assert all(secret.jobs for secret in report.required_secrets)
    return {s.key: (s.variable, s.dispatcher, s.reaches_jobs) for s in report.required_secrets}


@pytest.mark.parametrize(
    ("agent", "key", "variable"),
    [
        ("Claude", "anthropic-api-key", "ANTHROPIC_API_KEY"),
        ("ANTHROPIC", "anthropic-api-key", "ANTHROPIC_API_KEY"),
        ("openai", "openai-api-key", "OPENAI_API_KEY"),
        ("Gemini", "gemini-api-key", "GEMINI_API_KEY"),
        ("google", "gemini-api-key", "GEMINI_API_KEY"),
    ],
)
def test_agents(agent: str, key: str, variable: str) -> None:
    """Only Jobs talk to the model; the Dispatcher needs the ticket system's token for `list` and `create`."""
    assert needed(api=project(agent=agent)) == {
        key: (variable, False, True),
        "github-token": ("GITHUB_TOKEN", True, True),
    }


@pytest.mark.parametrize(
    ("source", "key", "variable", "reaches_jobs"),
    [
        ("GitHub", "github-token", "GITHUB_TOKEN", True),
        ("AzureRepos", "azure-devops-token", "AZURE_DEVOPS_TOKEN", True),
        ("GitLab", "gitlab-token", "GITLAB_TOKEN", False),
    ],
)
def test_the_dispatcher_needs_no_token_of_a_source(source: str, key: str, variable: str, reaches_jobs: bool) -> None:
    only_source = {"source": {"type": source}}
    assert needed(api=only_source) == {key: (variable, False, reaches_jobs)}


@pytest.mark.parametrize(
    ("tickets", "keys"),
    [
        ("github", {"github-token": ("GITHUB_TOKEN", True, True)}),
        ("azuredevops", {"azure-devops-token": ("AZURE_DEVOPS_TOKEN", True, True)}),
        ("gitlab", {"gitlab-token": ("GITLAB_TOKEN", True, False)}),
        ("jira", {"jira-email": ("JIRA_EMAIL", True, False), "jira-token": ("JIRA_TOKEN", True, False)}),
    ],
)
def test_tickets(tickets: str, keys: dict[str, Any]) -> None:
    assert needed(api={"tickets": {"type": tickets}}) == keys


def test_local_and_unknown_types_need_nothing() -> None:
    assert needed(api=project(source="Local", tickets="Trello", agent="Mistral")) == {}


def test_several_projects_add_up_and_say_why() -> None:
    report = examine({"projects": {"api": project(tickets="Jira"), "web": project(source="AzureRepos")}})
    reasons = {secret.key: secret.reasons for secret in report.required_secrets}
    assert reasons == {
        "anthropic-api-key": ("projects.api.agent.type: Claude", "projects.web.agent.type: Claude"),
        "github-token": ("projects.api.source.type: GitHub", "projects.web.tickets.type: GitHub"),
        "azure-devops-token": ("projects.web.source.type: AzureRepos",),
        "jira-email": ("projects.api.tickets.type: Jira",),
        "jira-token": ("projects.api.tickets.type: Jira",),
    }


@pytest.mark.parametrize("document", ["", "a: [", {}, {"projects": None}, {"projects": {"api": 5}}, []])
def test_without_a_usable_document_nothing_is_known(document: object) -> None:
    assert examine(document).required_secrets == []


def test_the_reference_page_has_every_key_and_who_gets_it() -> None:
    page = (Path(__file__).parents[5] / "docs/reference/config-check.md").read_text()
    table = page.partition("## Secrets that a configuration needs")[2].partition("\n\n| ")[2].partition("\n\n")[0]
    rows = [row.split("|") for row in table.splitlines()[2:]]
    shown = {key: readers for _start, _types, keys, readers, _end in rows for key in re.findall("`([a-z-]+)`", keys)}
    providers = [*SOURCE_PROVIDERS.values(), *TICKETS_PROVIDERS.values()]
    of_dispatcher = {key for provider in providers for key in provider.secrets}
    assert shown.keys() == SECRET_KEYS.keys()
    for key, readers in shown.items():
        assert ("Jobs" in readers) == SECRET_KEYS[key].reaches_jobs
        assert readers.startswith(" Dispatcher") == (key in of_dispatcher)
