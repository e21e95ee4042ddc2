# SPDX-License-Identifier: GPL-3.0-or-later
"""The chat grammar of the Dispatcher, as a table."""

from __future__ import annotations

import pytest
from stand_in.dispatcher.chat_intent import CreateTicket, FixTicket, ListTickets, TicketNumberError, parse_intent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix #54 in p", FixTicket(54, "p")),
        ("fix ticket #54 in p", FixTicket(54, "p")),
        ("  FIX   Ticket  #054  IN  My-Project ", FixTicket(54, "My-Project")),
        ("fix #0 in p", FixTicket(0, "p")),
        ("fix #2147483647 in p", FixTicket(2147483647, "p")),
        # Whatever is no space is a project: nothing is looked up before there is a Job.
        ("fix #54 in p/q:1", FixTicket(54, "p/q:1")),
        ("list tickets in p", ListTickets("p")),
        ("list ticket for p", ListTickets("p")),
        ("List Tickets For p", ListTickets("p")),
        ('create ticket "Add logging" in p', CreateTicket("Add logging", "p")),
        ("create ticket 'Add logging' in p", CreateTicket("Add logging", "p")),
        ("create ticket \"Add logging' in p", CreateTicket("Add logging", "p")),
        ('create ticket "T" in p "D d"', CreateTicket("T", "p", "D d")),
        ('create ticket "a" in b" in p', CreateTicket('a" in b', "p")),
    ],
)
def test_sentences(text: str, expected: object) -> None:
    assert parse_intent(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fix",
        "fix 54 in p",
        "fix #54",
        "fix #54 p",
        "fix #54 for p",
        "fix #54 in p please",
        "please fix #54 in p",
        "fix #PROJ-54 in p",
        "fix issue #54 in p",
        "fix #54 in p\nand more",
        "list in p",
        "list tickets p",
        "list tickets",
        "create 'T' in p",
        "create ticket T in p",
        'create ticket "" in p',
        'create ticket "T"',
        "help",
    ],
)
def test_what_is_not_understood(text: str) -> None:
    assert parse_intent(text) is None


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999", "٥٤"])
def test_numbers_that_make_the_app_throw(number: str) -> None:
    with pytest.raises(TicketNumberError):
        parse_intent(f"fix #{number} in p")
