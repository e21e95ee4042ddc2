# SPDX-License-Identifier: GPL-3.0-or-later
"""The chat grammar of the Dispatcher, as a table."""

from __future__ import annotations

import pytest
from stand_in.dispatcher.chat_intent import (
    CreateTicket,
    FixTicket,
    Greeting,
    Help,
    ListTickets,
    TicketNumberError,
    Unknown,
    parse_intent,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix #54 in p", FixTicket(54, "p")),
        ("fix ticket #54 in p", FixTicket(54, "p")),
        ("  FIX   Ticket  #054  IN  My-Project ", FixTicket(54, "My-Project")),
        ("ticket #54 in p", FixTicket(54, "p")),
        ("#18 in p", FixTicket(18, "p")),
        ("fix #19", FixTicket(19)),
        ("fix ticket #19", FixTicket(19)),
        ("#19", FixTicket(19)),
        ("fix #0 in p", FixTicket(0, "p")),
        ("fix #2147483647 in p", FixTicket(2147483647, "p")),
        # Whatever is no space is a project: nothing is looked up before there is a Job.
        ("fix #54 in p/q:1", FixTicket(54, "p/q:1")),
        ("list tickets in p", ListTickets("p")),
        ("list ticket for p", ListTickets("p")),
        ("List Tickets For p", ListTickets("p")),
        ("list in p", ListTickets("p")),
        ("list", ListTickets()),
        ("list tickets", ListTickets()),
        ("list ticket", ListTickets()),
        ('create ticket "Add logging" in p', CreateTicket("Add logging", "p")),
        ("create ticket 'Add logging' in p", CreateTicket("Add logging", "p")),
        ("create ticket \"Add logging' in p", CreateTicket("Add logging", "p")),
        ("create 'T' in p", CreateTicket("T", "p")),
        ('create ticket "T" in p "D d"', CreateTicket("T", "p", "D d")),
        ('create "T" in p "D d"', CreateTicket("T", "p", "D d")),
        ('create ticket "a" in b" in p', CreateTicket('a" in b', "p")),
        *((text, Help()) for text in ("help", "HELP", "help?", "Help !", "?", "??", "What can  you do?")),
        *((text, Greeting()) for text in ("hi", "Hello!", "hey", "Hallo.", "howdy", "good morning", "Guten Tag!")),
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
        "fix #54 p",
        "fix #54 for p",
        "fix #54 in p please",
        "please fix #54 in p",
        "fix #PROJ-54 in p",
        "fix issue #54 in p",
        "fix #54 in p\nand more",
        "list tickets p",
        "lists",
        "create ticket T in p",
        'create ticket "" in p',
        'create ticket "T"',
        "help me",
        "help??",
        "hi there",
        "hi?",
        "good night",
    ],
)
def test_what_is_not_understood(text: str) -> None:
    assert parse_intent(text) == Unknown(text)


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999", "٥٤"])
def test_numbers_that_make_the_app_throw(number: str) -> None:
    with pytest.raises(TicketNumberError):
        parse_intent(f"fix #{number} in p")
    with pytest.raises(TicketNumberError):
        parse_intent(f"#{number}")
