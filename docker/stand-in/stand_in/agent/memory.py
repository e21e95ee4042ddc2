# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes memory until the kernel ends the process for it."""

from __future__ import annotations

import asyncio

CHUNK = 32 * 2**20
"""Bytes taken at a time."""
MOST = 2 * 2**30
"""Bytes: twice the limit of a Job. Where there is no limit, the machine must survive."""


class MemoryNotLimitedError(Exception):
    """Nothing has ended the process."""


async def exhaust_memory(most: int = MOST) -> None:
    """Take up to `most` bytes and use them. Raises MemoryNotLimitedError if that was possible."""
    taken = []
    while len(taken) * CHUNK < most:
        # Written to, page by page: memory that nobody touches is not counted.
        taken.append(bytearray(b"x") * CHUNK)
        await asyncio.sleep(0)
    raise MemoryNotLimitedError(f"{most >> 20} MiB were taken and nothing ended the process: it has no memory limit.")
