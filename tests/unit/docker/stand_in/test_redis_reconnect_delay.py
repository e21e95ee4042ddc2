# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the stand-in waits between two attempts to reach Redis again."""

from __future__ import annotations

import pytest
from stand_in.redis_configuration import parse_redis_configuration
from stand_in.redis_connection import reconnect_delay


@pytest.mark.parametrize(
    ("options", "failures", "shortest", "longest"),
    [
        ("", 0, 2.5, 2.5),
        ("", 10, 2.5, 2.5 * 1.1**10),
        ("", 10**6, 2.5, 60.0),
        (",connectTimeout=100", 0, 1.0, 1.0),
        (",connectTimeout=0", 1000, 1.0, 1.0),
        (",connectTimeout=200000", 3, 100.0, 100.0),
    ],
)
def test_delay_grows_within_bounds(options: str, failures: int, shortest: float, longest: float) -> None:
    configuration = parse_redis_configuration("redis" + options)
    delays = [reconnect_delay(configuration, failures) for _ in range(100)]
    assert min(delays) >= shortest
    assert max(delays) <= longest
