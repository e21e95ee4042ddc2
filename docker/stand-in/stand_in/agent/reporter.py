# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the agent's reports go: to a job's Redis stream, or to the log of an agent without a job."""

from __future__ import annotations

import logging
from typing import Protocol

from stand_in.bus_message import BusMessage, Kind
from stand_in.message_bus import MessageBus

ANSWER_TIMEOUT = 5 * 60.0
"""Seconds that the agent waits for an answer."""
_ANSWERS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

_log = logging.getLogger("AgentSmith.Infrastructure.Bus.RedisProgressReporter")


class Reporter(Protocol):
    """What a pipeline tells people, and asks them."""

    async def progress(self, step: int, total: int, label: str) -> None:
        """Report the step that begins; `step` counts from 1."""

    async def detail(self, text: str) -> None:
        """Report what the agent does within a step."""

    async def ask_yes_no(self, question_id: str, text: str) -> bool:
        """Ask, and take no answer and one that is neither yes nor no for a yes."""

    async def done(self, summary: str, pr_url: str = "") -> None:
        """Report success, with the address of the pull request if there is one."""

    async def error(self, text: str, step: int | None = None, total: int | None = None) -> None:
        """Report failure, at a step if it was one that failed."""


class RedisReporter:
    """Reports to the Dispatcher that has spawned the Job. Raises RedisConnectionError where Redis is gone."""

    def __init__(self, bus: MessageBus, job_id: str, answer_timeout: float = ANSWER_TIMEOUT) -> None:
        self._bus = bus
        self._job_id = job_id
        self._answer_timeout = answer_timeout

    async def progress(self, step: int, total: int, label: str) -> None:
        """Report the step that begins."""
        await self._bus.publish(BusMessage(Kind.PROGRESS, self._job_id, text=label, step=step, total=total))

    async def detail(self, text: str) -> None:
        """Report what the agent does within a step: the Dispatcher throws it away."""
        await self._bus.publish(BusMessage(Kind.DETAIL, self._job_id, text=text))

    async def ask_yes_no(self, question_id: str, text: str) -> bool:
        """Ask, and wait for the answer."""
        await self._bus.publish(BusMessage(Kind.QUESTION, self._job_id, text=text, question_id=question_id))
        _log.info("Published question '%s', waiting up to %g s for an answer", question_id, self._answer_timeout)
        answer = await self._bus.read_answer(self._job_id, self._answer_timeout)
        if answer is None:
            _log.warning("No answer received for question '%s', using default: yes", question_id)
            return True
        return _ANSWERS.get(answer.content.strip().lower(), True)

    async def done(self, summary: str, pr_url: str = "") -> None:
        """Report success."""
        await self._bus.publish(BusMessage(Kind.DONE, self._job_id, text=summary, summary=summary, pr_url=pr_url))
        _log.info("Published Done for job %s: %s", self._job_id, summary)

    async def error(self, text: str, step: int | None = None, total: int | None = None) -> None:
        """Report failure."""
        await self._bus.publish(BusMessage(Kind.ERROR, self._job_id, text=text, step=step, total=total))
        _log.error("Published Error for job %s: %s", self._job_id, text)


class LogReporter:
    """Reports of an agent that was started without a job: its log has them already."""

    async def progress(self, step: int, total: int, label: str) -> None:
        """Log the step that begins."""
        _log.info("[%d/%d] %s", step, total, label)

    async def detail(self, text: str) -> None:
        """Log it."""
        _log.info("%s", text)

    async def ask_yes_no(self, question_id: str, text: str) -> bool:
        """Answer yes, as a headless agent of the app does."""
        _log.info("Question '%s' is answered with yes: %s", question_id, text)
        return True

    async def done(self, summary: str, pr_url: str = "") -> None:
        """Say nothing: the program prints the result."""

    async def error(self, text: str, step: int | None = None, total: int | None = None) -> None:
        """Say nothing: the program prints the result."""
