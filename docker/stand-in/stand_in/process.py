# SPDX-License-Identifier: GPL-3.0-or-later
"""How the stand-in's programs end: on a signal, or of an exception in the words of .NET."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Mapping
from contextlib import suppress

FAILED = 1
"""Exit code of a program that says itself that it has failed."""
ABORTED = 128 + signal.SIGABRT
"""Exit code of a .NET process that dies of an exception: its runtime aborts."""


def lowest_level(environment: Mapping[str, str]) -> int:
    """Return from which level on is logged, unless the log's own variables say otherwise."""
    return logging.DEBUG if environment.get("ASPNETCORE_ENVIRONMENT") == "Development" else logging.INFO


def crash(message: str, status: int) -> int:
    """Say why the process ends, where .NET does. Returns the exit code."""
    sys.stderr.write(f"{message}\n")
    return status


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set.

    To be called before anything slow: as process 1 of a container, a signal without a handler would be ignored.
    """
    wanted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, wanted.set)
    return wanted


async def finished_before(event: asyncio.Event, work: Awaitable[object]) -> bool:
    """Do the work unless the event comes first. Raises what the work raises."""
    task = asyncio.ensure_future(work)
    waiter = asyncio.ensure_future(event.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
        return True
    await cancel(task)
    return False


async def cancel(task: asyncio.Task) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
