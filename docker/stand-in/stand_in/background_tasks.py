# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that nobody waits for, as in .NET's `_ = Task.Run(…)`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from stand_in.process import cancel


class BackgroundTasks:
    """Keeps a reference to every running task: the event loop alone would let them be collected."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task:
        """Start the work and return its task. It has to deal with its own exceptions."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def stop(self) -> None:
        """Cancel what still runs: the app's process does not wait for it either."""
        for task in list(self._running):
            await cancel(task)
