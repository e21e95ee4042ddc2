# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pod of a Job can still come after the API server has refused it, by the cause that job_state names."""

from __future__ import annotations

from .quota_refusal import is_too_small

# As job_state has them for a Job without a pod
_REFUSALS = ("quota: ", "Pod Security: ", "FailedCreate: ")


def is_for_good(cause: str) -> bool:
    """Tell whether waiting does not help: all but a quota that other pods use up at this moment, and a fault."""
    if not cause.startswith(_REFUSALS):
        return False
    if "exceeded quota: " in cause:
        return is_too_small(cause)
    return "is forbidden: " in cause or "denied the request" in cause
