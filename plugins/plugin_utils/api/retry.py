# SPDX-License-Identifier: GPL-3.0-or-later
"""Which failed requests are sent again, when, and for how long. Times are seconds."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

# Without any answer yet, the address is more likely wrong than the server restarting: the user is told within
# 15 s, of which Ansible's own start, on a busy machine too, takes the rest.
FIRST_CONTACT_PERIOD = 10.0
# Once in contact: a control-plane node that is replaced or upgraded is away for this long.
OUTAGE_PERIOD = 90.0
# Where the run can go on without the answer.
SHORT_PERIOD = 3.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
# Another writer won the race for the object's version; the next attempt reads the new one.
LOCK_CONFLICT_ATTEMPTS = 5

# Too many requests; a fault inside the server or in a proxy before it. All of our requests may be repeated: reads,
# server-side apply, merge patches and deletes end in the same state when they are sent twice.
PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})
# The API server reports an object that does not fit its schema as an internal error, too.
MALFORMED_OBJECT = ("failed to create typed patch object", "failed to convert new object")


class Verdict(Enum):
    """What an answer means for the request."""

    DONE = "done"
    REFUSED = "refused"
    PASSING = "passing"
    LOCKED = "locked"
    UNAUTHENTICATED = "unauthenticated"


def judge(method: str, status: int, body: Any) -> Verdict:
    """Tell what to do about an answer.

    :param body: the decoded answer, a Status object where *status* is an error.
    """
    details: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    if status < 400:
        return Verdict.DONE
    if status == 401:
        return Verdict.UNAUTHENTICATED
    if status in PASSING_STATUSES:
        malformed = str(details.get("message", "")).startswith(MALFORMED_OBJECT)
        return Verdict.REFUSED if malformed else Verdict.PASSING
    if status == 409 and method == "PATCH" and details.get("reason") in ("Conflict", "AlreadyExists"):
        causes = (details.get("details") or {}).get("causes") or []
        owned_elsewhere = any(cause.get("reason") == "FieldManagerConflict" for cause in causes)
        return Verdict.REFUSED if owned_elsewhere else Verdict.LOCKED
    return Verdict.REFUSED


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it is absent or a date, which Kubernetes never sends."""
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None


@dataclass
class Attempts:
    """The history of one request."""

    failures: int = 0
    first_failure: float = 0.0
    lock_conflicts: int = 0
    credential_renewed: bool = False


class RetryPolicy:
    """Decides on the next attempt. One instance serves a run, because contact is a property of the run.

    :param clock: monotonic seconds.
    :param jitter: returns a number from 0 to 1, so that concurrent requests do not return in step.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._started = clock()
        self.in_contact = False

    def contact_time_left(self) -> float:
        """Return the seconds left for a first answer."""
        return self._started + FIRST_CONTACT_PERIOD - self._clock()

    def pause_after_failure(
        self, attempts: Attempts, requested: float | None = None, period: float | None = None
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None when the time is up.

        The last pause is cut so that one attempt falls on the end of the period.

        :param requested: what the server asked for (Retry-After).
        :param period: seconds from the first failure on, once in contact: OUTAGE_PERIOD where none is given.
        """
        now = self._clock()
        if not attempts.failures:
            attempts.first_failure = now
        attempts.failures += 1
        period = OUTAGE_PERIOD if period is None else period
        left = attempts.first_failure + period - now if self.in_contact else self.contact_time_left()
        if left <= 0:
            return None
        return min(left, self._backoff(attempts.failures) if requested is None else requested)

    def pause_after_lock_conflict(self, attempts: Attempts) -> float | None:
        """Return the seconds to wait before the next attempt, or None after LOCK_CONFLICT_ATTEMPTS of them."""
        attempts.lock_conflicts += 1
        if attempts.lock_conflicts >= LOCK_CONFLICT_ATTEMPTS:
            return None
        return self._backoff(attempts.lock_conflicts)

    def _backoff(self, failures: int) -> float:
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10)) * (0.5 + self._jitter() / 2)
