# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told that ask for help, say hello or are not understood."""

from __future__ import annotations

HELP = (
    ":robot_face: *Agent Smith — here's what I can do:*\n\n"
    "*Fix a ticket*\n  `fix #58` or `fix #58 in my-project`\n\n"
    "*List tickets*\n  `list tickets` or `list tickets in my-project`\n\n"
    '*Create a ticket*\n  `create ticket "Add logging" in my-project`\n\n'
    "*Help*\n  `help` or `?`\n\n"
    "_I also understand free-form text — just describe what you need._"
)
GREETING = ":wave: Hey! I'm Agent Smith — an autonomous coding agent.\nType `help` to see what I can do."


def unknown_text(text: str) -> str:
    """Return the answer to a message that is none of the sentences."""
    return f':shrug: I didn\'t understand: "{text}"\n\nType `help` to see what I can do.'
