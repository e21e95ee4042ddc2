# SPDX-License-Identifier: GPL-3.0-or-later
"""Which project is meant by a message that names none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stand_in.configuration import ConfigurationError
from stand_in.dispatcher.chat_intent import CreateTicket, FixTicket, Greeting, ListTickets
from stand_in.dispatcher.project_resolution import SEVERAL_PROJECTS, Ambiguity, Refusal, with_project

TOKEN = {"GITHUB_TOKEN": "x"}
ON_GITHUB = {"tickets": {"type": "GitHub"}}
ON_AZURE = {"tickets": {"type": "AzureDevOps"}}
ON_NOTHING = {"tickets": {"type": "Other"}}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, without a configuration yet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path


def configure(**projects: object) -> None:
    Path("config/agentsmith.yml").write_text(json.dumps({"projects": projects}))


@pytest.mark.parametrize(
    "intent",
    [FixTicket(1, "p"), ListTickets("p"), CreateTicket("T", "p"), Greeting()],
)
def test_what_has_its_project_needs_no_configuration(intent: object) -> None:
    assert with_project(intent, {}) == intent


@pytest.mark.parametrize("intent", [FixTicket(1), ListTickets()])
def test_what_has_none_needs_a_configuration(intent: object) -> None:
    with pytest.raises(ConfigurationError, match="Configuration file not found: config/agentsmith.yml"):
        with_project(intent, TOKEN)


def test_the_only_project_is_meant_whatever_its_tickets() -> None:
    configure(only=ON_NOTHING)
    assert with_project(FixTicket(1), {}) == FixTicket(1, "only")
    assert with_project(ListTickets(), {}) == ListTickets("only")


def test_the_only_project_with_the_ticket_is_meant() -> None:
    configure(first=ON_AZURE, second=ON_GITHUB, third=ON_NOTHING)
    assert with_project(FixTicket(54), TOKEN) == FixTicket(54, "second")


def test_two_projects_with_the_ticket_are_ambiguous() -> None:
    configure(first=ON_GITHUB, second=ON_GITHUB, third=ON_AZURE)
    assert with_project(FixTicket(54), TOKEN) == Ambiguity(
        "Ticket #54 found in *first*, *second*. Please specify: `fix #54 in <project>`"
    )


@pytest.mark.parametrize(("ticket", "environment"), [(54, {}), (1, TOKEN), (404, TOKEN)])
def test_a_ticket_that_nobody_has_or_can_be_asked_for(ticket: int, environment: dict[str, str]) -> None:
    configure(first=ON_GITHUB, second=ON_GITHUB)
    refusal = Refusal(f"Ticket #{ticket} was not found in any configured project.")
    assert with_project(FixTicket(ticket), environment) == refusal


def test_a_list_of_several_projects_is_refused() -> None:
    for projects in ({}, {"first": ON_GITHUB, "second": ON_GITHUB}):
        configure(**projects)
        assert with_project(ListTickets(), TOKEN) == Refusal(SEVERAL_PROJECTS)


def test_without_a_project_there_is_no_ticket() -> None:
    configure()
    assert with_project(FixTicket(54), TOKEN) == Refusal("Ticket #54 was not found in any configured project.")
