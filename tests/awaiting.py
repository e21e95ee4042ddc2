# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something that another process, or a cluster, does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

LONGEST = 90.0
"""Seconds that a cluster may take. An API server alone may wait a minute for the last objects of a kind to go."""


def await_condition(condition: Callable[[], Value], timeout: float = 20.0, pause: float = 0.02) -> Value:
    """Ask until the answer is true, and return it. Raises AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not reached within {timeout} s"
        time.sleep(pause)
    return value


def await_true(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds in the cluster."""
    await_condition(condition, LONGEST, 0.05)
