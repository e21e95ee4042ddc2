# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks the commands of a pipeline: the app's order of checks and reports, without the work between them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from stand_in.agent.commands import COMMANDS, LABELS_ALONE
from stand_in.agent.memory import MemoryNotLimitedError, exhaust_memory
from stand_in.agent.reporter import Reporter
from stand_in.configuration import ConfigurationError, Project
from stand_in.provider_credentials import require_agent, require_source, require_tickets
from stand_in.tickets import Outcome

STEP_DURATION = 0.5
"""Seconds a command takes."""
LONG_DURATION = 60.0
"""Seconds the long ticket takes in addition."""
SUCCESS = "Pipeline completed successfully"

_log = logging.getLogger("AgentSmith.Application.Services.PipelineExecutor")


class CommandFailedError(Exception):
    """A command has failed: the agent reports the message, and the step that it was."""

    def __init__(self, message: str, step: int = 0, total: int = 0) -> None:
        super().__init__(message)
        self.step = step
        self.total = total


class PipelineBrokenError(Exception):
    """The pipeline itself is wrong: the app throws outside of its error handling, and reports nothing."""


_PLACES = {
    Outcome.ASK: "ApprovalCommand",
    Outcome.NOT_FOUND: "FetchTicketCommand",
    Outcome.REFUSED_BY_LLM: "GeneratePlanCommand",
}


class Pipeline:
    """One run for one ticket."""

    def __init__(self, project: Project, outcome: Outcome, reporter: Reporter, environment: Mapping[str, str]) -> None:
        self._project = project
        self._outcome = outcome
        self._reporter = reporter
        self._environment = environment
        self._context: set[str] = set()

    async def run(self, commands: tuple[str, ...]) -> None:
        """Run the commands in their order. Raises CommandFailedError, PipelineBrokenError."""
        _log.info("Starting pipeline with %d commands", len(commands))
        for step, name in enumerate(commands, start=1):
            _log.info("[%d/%d] Executing %s...", step, len(commands), name)
            label = COMMANDS[name].label if name in COMMANDS else LABELS_ALONE.get(name, name)
            await self._reporter.progress(step, len(commands), label)
            self._check(name)
            try:
                await self._execute(name, commands)
            except (ConfigurationError, MemoryNotLimitedError, CommandFailedError) as error:
                raise CommandFailedError(str(error), step, len(commands)) from error
            self._context.update(COMMANDS[name].gives)
        _log.info(SUCCESS)

    async def _execute(self, name: str, commands: tuple[str, ...]) -> None:
        self._require_environment(name)
        await asyncio.sleep(STEP_DURATION)
        if name == "AgenticExecuteCommand":
            await self._reporter.detail("Carrying out the plan")
        if name == _place(self._outcome, commands):
            await self._act()

    def _check(self, name: str) -> None:
        if name not in COMMANDS:
            raise PipelineBrokenError(f"Unknown command: {name}")
        for key in COMMANDS[name].needs:
            if key not in self._context:
                raise PipelineBrokenError(f"Key '{key}' not found in pipeline context.")

    def _require_environment(self, name: str) -> None:
        if name in ("FetchTicketCommand", "CommitAndPRCommand"):
            require_tickets(self._project, self._environment)
        if name in ("CheckoutSourceCommand", "CommitAndPRCommand"):
            require_source(self._project, self._environment)
        if name in ("GeneratePlanCommand", "AgenticExecuteCommand"):
            require_agent(self._project, self._environment)
        path = self._project.coding_principles_path
        if name == "LoadCodingPrinciplesCommand" and not Path(path).is_file():
            raise CommandFailedError(f"Coding principles file not found: {path}")

    async def _act(self) -> None:
        acts: dict[Outcome, Callable[[], Awaitable[None]]] = {
            Outcome.ASK: self._ask,
            Outcome.FAIL: self._fail,
            Outcome.NOT_FOUND: self._not_found,
            Outcome.REFUSED_BY_LLM: self._refused_by_llm,
            Outcome.RUN_LONG: self._run_long,
            Outcome.EXHAUST_MEMORY: exhaust_memory,
        }
        await acts[self._outcome]()

    async def _ask(self) -> None:
        if not await self._reporter.ask_yes_no("approval", "Carry out the plan?"):
            raise CommandFailedError("Plan rejected by user")

    async def _fail(self) -> None:
        raise CommandFailedError("The stand-in fails on this ticket, as its table of tickets says.")

    async def _not_found(self) -> None:
        raise CommandFailedError("The ticket was not found.")

    async def _refused_by_llm(self) -> None:
        raise CommandFailedError("HTTP 401 (Unauthorized) from the language model's API")

    async def _run_long(self) -> None:
        await asyncio.sleep(LONG_DURATION)


def _place(outcome: Outcome, commands: tuple[str, ...]) -> str | None:
    """Return the command at which a ticket shows what it does: the last one of a pipeline without the natural one."""
    if outcome in (Outcome.SUCCEED, Outcome.CRASH):
        return None
    natural = _PLACES.get(outcome, "AgenticExecuteCommand")
    return natural if natural in commands else commands[-1]
