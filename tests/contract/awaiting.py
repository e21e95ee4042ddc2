# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something that another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def await_condition(condition: Callable[[], Value], timeout: float = 20.0, pause: float = 0.02) -> Value:
    """Ask until the answer is true, and return it. Raises AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not reached within {timeout} s"
        time.sleep(pause)
    return value
