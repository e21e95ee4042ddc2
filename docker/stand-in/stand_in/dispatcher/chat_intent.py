# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message in a channel asks for, by the app's grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HELP = re.compile(r"(?:help|\?|what\s+can\s+you\s+do)\s*[?!.]?", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:hi|hello|hey|hallo|howdy|good\s+(?:morning|afternoon|evening)|guten\s+tag)\s*[!.]?", re.IGNORECASE
)
_CREATE = re.compile(r"create\s+(?:ticket\s+)?[\"'](.+?)[\"']\s+in\s+(\S+)", re.IGNORECASE)
_CREATE_WITH_DESCRIPTION = re.compile(_CREATE.pattern + r"\s+[\"'](.+?)[\"']", re.IGNORECASE)
_FIX = re.compile(r"(?:fix\s+)?(?:ticket\s+)?#(\d+)(?:\s+in\s+(\S+))?", re.IGNORECASE)
_LIST = re.compile(r"list(?:\s+tickets?)?(?:\s+(?:in|for)\s+(\S+))?", re.IGNORECASE)
LARGEST_TICKET = 2**31 - 1


class TicketNumberError(ValueError):
    """Digits that are no 32-bit number: the app throws, with the runtime's words."""


@dataclass(frozen=True)
class Help:
    """Say what can be written."""


@dataclass(frozen=True)
class Greeting:
    """Say hello."""


@dataclass(frozen=True)
class CreateTicket:
    """Make a ticket in a project."""

    title: str
    project: str
    description: str = ""


@dataclass(frozen=True)
class FixTicket:
    """Spawn a Job for a ticket. An empty project has to be found out."""

    ticket: int
    project: str = ""


@dataclass(frozen=True)
class ListTickets:
    """Show the open tickets of a project. An empty one has to be found out."""

    project: str = ""


@dataclass(frozen=True)
class Unknown:
    """None of the sentences; `text` is the message."""

    text: str


Intent = Help | Greeting | CreateTicket | FixTicket | ListTickets | Unknown


def parse_intent(text: str) -> Intent:
    """Read a message. Raises TicketNumberError."""
    text = text.strip()
    if _HELP.fullmatch(text):
        return Help()
    if _GREETING.fullmatch(text):
        return Greeting()
    if match := _CREATE_WITH_DESCRIPTION.fullmatch(text) or _CREATE.fullmatch(text):
        return CreateTicket(*match.groups())
    if match := _FIX.fullmatch(text):
        return FixTicket(_ticket_number(match[1]), match[2] or "")
    if match := _LIST.fullmatch(text):
        return ListTickets(match[1] or "")
    return Unknown(text)


def _ticket_number(digits: str) -> int:
    if not digits.isascii():
        raise TicketNumberError(f"The input string '{digits}' was not in a correct format.")
    number = int(digits)
    if number > LARGEST_TICKET:
        raise TicketNumberError("Value was either too large or too small for an Int32.")
    return number
