# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests are repeated, and for how long, with a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.retry import (
    FIRST_CONTACT_PERIOD,
    LOCK_CONFLICT_ATTEMPTS,
    OUTAGE_PERIOD,
    Attempts,
    RetryPolicy,
    Verdict,
    judge,
    retry_after,
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def outlived(policy: RetryPolicy, clock: Clock, request_takes: float = 0.0) -> tuple[float, int]:
    """Let every attempt fail; return the seconds until the policy gives up, and the number of attempts."""
    attempts = Attempts()
    started = clock.now
    for number in range(1, 10_000):
        clock.now += request_takes
        pause = policy.pause_after_failure(attempts)
        if pause is None:
            return clock.now - started, number
        clock.now += pause
    raise AssertionError("it never gives up")


CONFLICT = {"reason": "Conflict", "details": {"causes": [{"reason": "FieldManagerConflict"}]}}
MALFORMED = {
    "message": "failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.x: field not declared"
}


@pytest.mark.parametrize(
    ("method", "status", "body", "verdict"),
    [
        ("GET", 200, {}, Verdict.DONE),
        ("PATCH", 201, {}, Verdict.DONE),
        ("GET", 404, {"reason": "NotFound"}, Verdict.REFUSED),
        ("PATCH", 403, {"reason": "Forbidden"}, Verdict.REFUSED),
        ("PATCH", 422, {"reason": "Invalid"}, Verdict.REFUSED),
        ("GET", 401, {"reason": "Unauthorized"}, Verdict.UNAUTHENTICATED),
        *[("PATCH", status, {}, Verdict.PASSING) for status in (429, 500, 502, 503, 504)],
        ("GET", 502, "<html>bad gateway</html>", Verdict.PASSING),
        ("PATCH", 500, MALFORMED, Verdict.REFUSED),
        ("PATCH", 500, {"reason": "InternalError", "message": "etcdserver: leader changed"}, Verdict.PASSING),
        ("PATCH", 409, {"reason": "Conflict"}, Verdict.LOCKED),
        ("PATCH", 409, {"reason": "AlreadyExists"}, Verdict.LOCKED),
        ("PATCH", 409, CONFLICT, Verdict.REFUSED),
        ("DELETE", 409, {"reason": "Conflict"}, Verdict.REFUSED),
    ],
)
def test_an_answer_is_judged(method: str, status: int, body: Any, verdict: Verdict) -> None:
    assert judge(method, status, body) is verdict


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("1", 1.0), ("0", 0.0), ("-5", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize("request_takes", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_without_contact_it_gives_up_within_15_seconds(request_takes: float, jitter: float) -> None:
    clock = Clock()
    seconds, attempts = outlived(RetryPolicy(clock, lambda: jitter), clock, request_takes)
    assert FIRST_CONTACT_PERIOD <= seconds <= FIRST_CONTACT_PERIOD + request_takes
    assert FIRST_CONTACT_PERIOD < 15
    assert attempts >= 2


def test_without_contact_all_requests_share_one_period() -> None:
    clock = Clock()
    policy = RetryPolicy(clock, lambda: 1.0)
    outlived(policy, clock)
    assert policy.pause_after_failure(Attempts()) is None


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_in_contact_an_outage_of_90_seconds_is_outlived(jitter: float) -> None:
    clock = Clock()
    policy = RetryPolicy(clock, lambda: jitter)
    policy.in_contact = True
    clock.now += 600  # how long the run already lasts does not matter
    seconds, _attempts = outlived(policy, clock)
    # The last attempt is made when the period is over, so an outage of exactly that length is survived.
    assert seconds == pytest.approx(OUTAGE_PERIOD)
    assert OUTAGE_PERIOD >= 90


def test_pauses_grow_and_are_spread() -> None:
    for jitter, first in ((0.0, 0.05), (1.0, 0.1)):
        policy = RetryPolicy(Clock(), lambda jitter=jitter: jitter)
        policy.in_contact = True
        attempts = Attempts()
        pauses = [policy.pause_after_failure(attempts) or 0 for _ in range(10)]
        assert pauses[0] == pytest.approx(first)
        assert pauses == sorted(pauses)
        assert pauses[-1] == pytest.approx(50 * first)


def test_what_the_server_asks_for_is_honoured_within_the_period() -> None:
    policy = RetryPolicy(Clock(), lambda: 0.5)
    policy.in_contact = True
    assert policy.pause_after_failure(Attempts(), 7.0) == 7.0
    assert policy.pause_after_failure(Attempts(), 3600.0) == OUTAGE_PERIOD


def test_a_lock_conflict_is_tried_again_a_few_times() -> None:
    policy = RetryPolicy(Clock())
    attempts = Attempts()
    pauses = [policy.pause_after_lock_conflict(attempts) for _ in range(LOCK_CONFLICT_ATTEMPTS)]
    assert all(pause is not None for pause in pauses[:-1])
    assert pauses[-1] is None
