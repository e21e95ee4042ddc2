# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stand-in for a controller does: look again and again, beside the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(look: Callable[[], object], pause: float) -> Iterator[None]:
    """Look in the background, for as long as the context lasts.

    :param pause: seconds before each look.
    """
    stop = threading.Event()

    def serve() -> None:
        while not stop.wait(pause):
            look()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
