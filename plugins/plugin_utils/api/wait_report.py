# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says while it waits, so that nobody takes it for stuck."""

import time
from collections.abc import Callable

INTERVAL = 15.0  # seconds between two lines

Say = Callable[[str], None]


class WaitReport:
    """One wait. It says what it waits for every INTERVAL seconds, with the seconds that have passed.

    :param say: shows a line; None where nobody looks.
    """

    def __init__(self, say: Say | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._started = self._shown = clock()

    def tell(self, text: str) -> None:
        """Say *text*, unless the last line is too recent. A wait calls it at every look."""
        now = self._clock()
        if self._say and now - self._shown >= INTERVAL:
            self._shown = now
            self._say(f"{text} ({now - self._started:.0f} s)")
