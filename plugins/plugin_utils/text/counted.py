# SPDX-License-Identifier: GPL-3.0-or-later
"""A number and what it counts, for messages and tables."""


def counted(count: int, one: str, several: str = "") -> str:
    """Return *count* with the words for that many: ``1 object``, ``2 objects``, ``1 Job runs``, ``2 Jobs run``.

    :param several: the words for 0 and for more than one; without it, *one* with an s.
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"
