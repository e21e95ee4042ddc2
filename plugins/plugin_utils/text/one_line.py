# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else has written, as a terminal may show it."""


def one_line(text: str, longest: int | None = None) -> str:
    """Return *text* in one line without control characters, of at most *longest* characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"
