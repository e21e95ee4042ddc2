# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent asks, and what it takes for an answer."""

from __future__ import annotations

import asyncio

import pytest
from stand_in.agent.reporter import ANSWER_TIMEOUT, RedisReporter
from stand_in.bus_message import BusMessage, Kind


class RecordingBus:
    """A bus on which one answer, or none, comes."""

    def __init__(self, answer: str | None) -> None:
        self.published: list[BusMessage] = []
        self.timeout = 0.0
        self._answer = answer

    async def publish(self, message: BusMessage) -> None:
        self.published.append(message)

    async def read_answer(self, job_id: str, timeout: float) -> BusMessage | None:
        self.timeout = timeout
        return None if self._answer is None else BusMessage(Kind.ANSWER, job_id, content=self._answer)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        *((text, True) for text in ("yes", "Y", " true ", "1")),
        *((text, False) for text in ("no", "N", " False ", "0")),
        *((text, True) for text in (None, "", "perhaps")),
    ],
)
def test_answers(answer: str | None, meaning: bool) -> None:
    bus = RecordingBus(answer)
    assert asyncio.run(RedisReporter(bus, "j").ask_yes_no("q", "Really?")) is meaning
    assert bus.published == [BusMessage(Kind.QUESTION, "j", text="Really?", question_id="q")]
    assert bus.timeout == ANSWER_TIMEOUT == 300


def test_an_error_has_the_step_that_failed() -> None:
    bus = RecordingBus(None)
    asyncio.run(RedisReporter(bus, "j").error("No", 3, 9))
    asyncio.run(RedisReporter(bus, "j").error("No"))
    assert bus.published == [
        BusMessage(Kind.ERROR, "j", text="No", step=3, total=9),
        BusMessage(Kind.ERROR, "j", text="No"),
    ]


def test_a_detail_is_sent() -> None:
    bus = RecordingBus(None)
    asyncio.run(RedisReporter(bus, "j").detail("Writing a file"))
    assert bus.published == [BusMessage(Kind.DETAIL, "j", text="Writing a file")]


def test_done_has_its_summary_as_its_text_too() -> None:
    bus = RecordingBus(None)
    asyncio.run(RedisReporter(bus, "j").done("All is well"))
    assert bus.published == [BusMessage(Kind.DONE, "j", text="All is well", summary="All is well")]
