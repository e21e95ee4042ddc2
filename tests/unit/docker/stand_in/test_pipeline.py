# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in agent reports of a pipeline, and what its table of tickets makes of it."""

from __future__ import annotations

import asyncio

import pytest
from stand_in.agent import memory, pipeline
from stand_in.agent.commands import COMMANDS
from stand_in.agent.pipeline import CommandFailedError, Pipeline, PipelineBrokenError
from stand_in.configuration import Project
from stand_in.tickets import MISSING_TICKET, TICKETS, Outcome, outcome_of

PRINCIPLES = "principles.md"
PROJECT = Project("GitHub", "GitHub", agent_type="Claude", coding_principles_path=PRINCIPLES)
ENVIRONMENT = {"GITHUB_TOKEN": "x", "ANTHROPIC_API_KEY": "x"}


class RecordingReporter:
    """Writes down what is reported, and answers questions."""

    def __init__(self, answer: bool = True) -> None:
        self.reports: list[tuple[object, ...]] = []
        self.details: list[str] = []
        self._answer = answer

    async def progress(self, step: int, total: int, label: str) -> None:
        self.reports.append((step, total, label))

    async def detail(self, text: str) -> None:
        self.details.append(text)

    async def ask_yes_no(self, question_id: str, text: str) -> bool:
        self.reports.append((question_id, text))
        return self._answer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Commands take no time, and the coding principles are there."""
    monkeypatch.setattr(pipeline, "STEP_DURATION", 0)
    monkeypatch.setattr(pipeline, "LONG_DURATION", 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / PRINCIPLES).touch()


def run(
    outcome: Outcome = Outcome.SUCCEED,
    commands: tuple[str, ...] = tuple(COMMANDS),
    project: Project = PROJECT,
    environment: dict[str, str] = ENVIRONMENT,
    answer: bool = True,
) -> list[tuple[object, ...]]:
    reporter = RecordingReporter(answer)
    asyncio.run(Pipeline(project, outcome, reporter, environment).run(commands))
    return reporter.reports


def test_every_command_is_reported() -> None:
    assert run() == [(step, 9, command.label) for step, command in enumerate(COMMANDS.values(), start=1)]


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (54, Outcome.SUCCEED),
        (1, Outcome.SUCCEED),
        (404, Outcome.NOT_FOUND),
        *((ticket.number, ticket.outcome) for ticket in TICKETS),
    ],
)
def test_the_table_of_tickets(number: int, outcome: Outcome) -> None:
    assert outcome_of(number) == outcome


def test_every_outcome_can_be_chosen() -> None:
    assert {ticket.outcome for ticket in TICKETS} == set(Outcome) - {Outcome.NOT_FOUND}
    assert MISSING_TICKET not in {ticket.number for ticket in TICKETS}


def test_a_question_is_asked_at_the_approval() -> None:
    reports = run(Outcome.ASK)
    assert reports[5:7] == [(6, 9, "Awaiting approval"), ("approval", "Carry out the plan?")]
    assert len(reports) == 10


def test_a_no_is_a_failure() -> None:
    with pytest.raises(CommandFailedError, match="Plan rejected by user"):
        run(Outcome.ASK, answer=False)


@pytest.mark.parametrize(
    ("outcome", "message", "step"),
    [
        (Outcome.FAIL, "The stand-in fails on this ticket", 7),
        (Outcome.NOT_FOUND, "The ticket was not found", 1),
        (Outcome.REFUSED_BY_LLM, "HTTP 401", 5),
    ],
)
def test_a_failing_ticket(outcome: Outcome, message: str, step: int) -> None:
    with pytest.raises(CommandFailedError, match=message) as caught:
        run(outcome)
    assert (caught.value.step, caught.value.total) == (step, 9)


def test_a_long_ticket_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(pipeline, "LONG_DURATION", 60)
    run(Outcome.RUN_LONG)
    assert slept == [0] * 7 + [60] + [0] * 2


def test_memory_is_taken_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CHUNK", 2**20)
    with pytest.raises(memory.MemoryNotLimitedError, match="3 MiB were taken"):
        asyncio.run(memory.exhaust_memory(3 * 2**20))


def test_memory_without_a_limit_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_limited() -> None:
        raise memory.MemoryNotLimitedError("no limit")

    monkeypatch.setattr(pipeline, "exhaust_memory", not_limited)
    with pytest.raises(CommandFailedError, match="no limit"):
        run(Outcome.EXHAUST_MEMORY)


def test_a_pipeline_without_the_natural_command_acts_at_its_end() -> None:
    assert run(Outcome.ASK, ("FetchTicketCommand", "CheckoutSourceCommand")) == [
        (1, 2, "Fetching ticket"),
        (2, 2, "Checking out source"),
        ("approval", "Carry out the plan?"),
    ]


@pytest.mark.parametrize("name", ["GenerateTestsCommand", "fetchticketcommand", "Other"])
def test_an_unknown_command_breaks_the_pipeline(name: str) -> None:
    with pytest.raises(PipelineBrokenError, match=f"Unknown command: {name}"):
        run(commands=("FetchTicketCommand", name))


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("AnalyzeCodeCommand", ["CheckoutSourceCommand"]),
        ("GeneratePlanCommand", ["FetchTicketCommand", "AnalyzeCodeCommand", "LoadCodingPrinciplesCommand"]),
        ("ApprovalCommand", ["GeneratePlanCommand"]),
        ("AgenticExecuteCommand", ["GeneratePlanCommand", "CheckoutSourceCommand", "LoadCodingPrinciplesCommand"]),
        ("TestCommand", ["CheckoutSourceCommand", "AgenticExecuteCommand"]),
        ("CommitAndPRCommand", ["CheckoutSourceCommand", "AgenticExecuteCommand", "FetchTicketCommand"]),
    ],
)
def test_a_command_needs_others_before_it(command: str, needed: list[str]) -> None:
    names = list(COMMANDS)
    for missing in needed:
        commands = tuple(name for name in names[: names.index(command) + 1] if name != missing)
        with pytest.raises(PipelineBrokenError, match="not found in pipeline context"):
            run(commands=commands)
    run(commands=tuple(names[: names.index(command) + 1]))


@pytest.mark.parametrize(
    ("variable", "step"), [("GITHUB_TOKEN", "FetchTicketCommand"), ("ANTHROPIC_API_KEY", "GeneratePlanCommand")]
)
def test_a_missing_variable_is_a_failure(variable: str, step: str) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != variable}
    with pytest.raises(CommandFailedError, match=f"Required environment variable '{variable}' is not set."):
        run(environment=environment)
    before = tuple(COMMANDS)[: tuple(COMMANDS).index(step)]
    assert len(run(commands=before, environment=environment)) == len(before)


def test_missing_coding_principles_are_a_failure() -> None:
    with pytest.raises(CommandFailedError, match="Coding principles file not found: none.md"):
        run(project=Project("GitHub", "GitHub", agent_type="Claude", coding_principles_path="none.md"))
