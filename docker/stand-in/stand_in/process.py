# SPDX-License-Identifier: GPL-3.0-or-later
"""How the stand-in's programs end: on a signal, or of an exception in the words of .NET."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable
from contextlib import suppress

CRASHED = 1
"""Exit code after an exception that nobody caught."""


def is_development() -> bool:
    """Tell whether ASP.NET's environment is `Development`, which makes the log longer."""
    return os.environ.get("ASPNETCORE_ENVIRONMENT") == "Development"


def crash(message: str) -> int:
    """Report as a .NET process does that dies of an exception, which is what the app does. Returns the exit code."""
    sys.stderr.write(f"Unhandled exception. {message}\n")
    return CRASHED


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
