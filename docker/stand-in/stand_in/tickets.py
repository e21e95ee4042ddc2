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
    REFUSED_BY_LLM = auto()
    NOT_FOUND = auto()


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
    Ticket(401, "Be refused by the language model", Outcome.REFUSED_BY_LLM),
)
MISSING_TICKET = 404
"""The one ticket that no provider has, so that it is in no list."""


def outcome_of(number: int) -> Outcome:
    """Return what becomes of a ticket; one that is not in the table succeeds, but for the missing one."""
    if number == MISSING_TICKET:
        return Outcome.NOT_FOUND
    return next((ticket.outcome for ticket in TICKETS if ticket.number == number), Outcome.SUCCEED)
