# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent finds ticket and project in "fix #54 in my-project": by other rules than the Dispatcher."""

from __future__ import annotations

import re

from stand_in.configuration import ConfigurationError

NOISE_WORDS = frozenset({"fix", "resolve", "close", "implement", "add", "update", "ticket", "issue", "in", "for"})
_NUMBER = re.compile(r"#?(\d+)")


def ticket_and_project(text: str) -> tuple[str, str]:
    """Return the digits of the ticket and the project's key as it will be looked up.

    The first number is the ticket. All digits are deleted from the text and noise words dropped; the first word left,
    in lower case, is the project: a key with a digit or a capital can never be found. Raises ConfigurationError.
    """
    number = _NUMBER.search(text)
    if number is None:
        raise ConfigurationError(f"Could not extract ticket ID from input: '{text}'")
    words = [word for word in _NUMBER.sub("", text).split(" ") if word.strip() and word.lower() not in NOISE_WORDS]
    if not words:
        raise ConfigurationError(f"Could not extract project name from input: '{text}'")
    return number[1], words[0].strip().lower()
