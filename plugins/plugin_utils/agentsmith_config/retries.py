# SPDX-License-Identifier: GPL-3.0-or-later
"""The waits between retries, as the app's ResilientHttpClientFactory computes them: some numbers have none."""

import math

_MOST_MILLISECONDS = 922_337_203_685_477 / 1.25
"""What .NET's TimeSpan holds, less the quarter that the app adds or takes at random."""


def failing_wait(attempts: int, initial: int, multiplier: float, most: int) -> str | None:
    """The exception's text for the wait that cannot be computed, None if all can.

    The waits grow or shrink steadily, so the first and the last ones of both signs say it for all.
    """
    last = attempts - 1
    for attempt in sorted({number for number in (0, 1, 2, last - 1, last) if 0 <= number <= last}):
        wait = _wait(attempt, initial, multiplier, most)
        if math.isnan(wait) or math.isinf(wait):
            return f"TimeSpan does not accept floating point Not-a-Number values (retry {attempt + 1})"
        if abs(wait) > _MOST_MILLISECONDS:
            return f"TimeSpan overflowed because the duration is too long (retry {attempt + 1})"
    return None


def _wait(attempt: int, initial: int, multiplier: float, most: int) -> float:
    try:
        factor = math.pow(multiplier, attempt)
    except OverflowError:
        factor = -math.inf if multiplier < 0 and attempt % 2 else math.inf
    wait = initial * factor if initial or math.isfinite(factor) else math.nan
    return wait if math.isnan(wait) else min(wait, most)
