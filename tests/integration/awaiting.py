# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what the cluster does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LONGEST = 60  # seconds


def await_true(condition: Callable[[], Any]) -> None:
    """Return as soon as the condition holds; fail when it does not come to that."""
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline, "the cluster did not get there"
        time.sleep(0.05)
