# SPDX-License-Identifier: GPL-3.0-or-later
"""The chat grammar: what a message in a channel asks the Dispatcher for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIX = re.compile(r"fix\s+(?:ticket\s+)?#(\d+)\s+in\s+(\S+)", re.IGNORECASE)
_LIST = re.compile(r"list\s+tickets?\s+(?:in|for)\s+(\S+)", re.IGNORECASE)
_CREATE = re.compile(r"create\s+ticket\s+[\"'](.+?)[\"']\s+in\s+(\S+)", re.IGNORECASE)
_CREATE_WITH_DESCRIPTION = re.compile(
    r"create\s+ticket\s+[\"'](.+?)[\"']\s+in\s+(\S+)\s+[\"'](.+?)[\"']", re.IGNORECASE
)
_LARGEST_TICKET = 2**31 - 1


class TicketNumberError(ValueError):
    """Digits that are no 32-bit number: the app throws, with the runtime's words."""


@dataclass(frozen=True)
class FixTicket:
    """Spawn a Job for a ticket."""

    ticket: int
    project: str


@dataclass(frozen=True)
class ListTickets:
    """Show the open tickets of a project."""

    project: str


@dataclass(frozen=True)
class CreateTicket:
    """Make a ticket in a project."""

    title: str
    project: str
    description: str = ""


Intent = FixTicket | ListTickets | CreateTicket


def parse_intent(text: str) -> Intent | None:
    """Read a message, or return None for one that is none of the sentences. Raises TicketNumberError."""
    text = text.strip()
    if match := _CREATE_WITH_DESCRIPTION.fullmatch(text):
        return CreateTicket(match[1], match[2], match[3])
    if match := _CREATE.fullmatch(text):
        return CreateTicket(match[1], match[2])
    if match := _FIX.fullmatch(text):
        return FixTicket(_ticket_number(match[1]), match[2])
    if match := _LIST.fullmatch(text):
        return ListTickets(match[1])
    return None


def _ticket_number(digits: str) -> int:
    if not digits.isascii():
        raise TicketNumberError(f"The input string '{digits}' was not in a correct format.")
    number = int(digits)
    if number > _LARGEST_TICKET:
        raise TicketNumberError("Value was either too large or too small for an Int32.")
    return number
