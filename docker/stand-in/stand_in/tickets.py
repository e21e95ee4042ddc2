# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's table of tickets: what `list tickets` shows, and what becomes of a `fix`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Outcome(Enum):
    """What the agent does with a ticket."""

    SUCCEED = auto()
    ASK = auto()
    FAIL = auto()
    CRASH = auto()
    RUN_LONG = auto()
    EXHAUST_MEMORY = auto()


@dataclass(frozen=True)
class Ticket:
    """One ticket; every one of them is open."""

    number: int
    title: str
    outcome: Outcome
    status: str = "Active"


TICKETS = (
    Ticket(54, "Say hello in the README", Outcome.SUCCEED),
    Ticket(101, "Ask before the plan is carried out", Outcome.ASK),
    Ticket(102, "Fail with an error message", Outcome.FAIL),
    Ticket(103, "Crash before the pipeline starts", Outcome.CRASH),
    Ticket(104, "Run for a minute", Outcome.RUN_LONG),
    Ticket(105, "Take memory until the kernel ends it", Outcome.EXHAUST_MEMORY),
)


def outcome_of(number: int) -> Outcome:
    """Return what becomes of a ticket; one that is not in the table succeeds."""
    return next((ticket.outcome for ticket in TICKETS if ticket.number == number), Outcome.SUCCEED)
