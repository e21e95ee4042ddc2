# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from ..objects.errors import ApplyError, combined

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def concurrently(executor: Executor, function: Callable[[Item], Outcome], items: Sequence[Item]) -> list[Outcome]:
    """Call *function* for all items at the same time, and return the results in their order.

    :raises ApplyError: when all calls have ended and some have failed, with the messages of all that did.
    """
    futures = [executor.submit(function, item) for item in items]
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    for error in errors:
        if not isinstance(error, ApplyError):
            raise error
    if errors:
        raise combined([error for error in errors if isinstance(error, ApplyError)])
    return [future.result() for future in futures]
