# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pod of a Job can still come after the API server has refused it, by the cause that job_state names."""

from __future__ import annotations

from ..objects.errors import ApiError
from .outcome import NOT_CHECKED, Outcome
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


def may_not_create(refusal: ApiError) -> bool:
    """Tell whether it is we who may not create pods, rather than the pod that may not be created."""
    return refusal.status == 403 and 'cannot create resource "pods"' in str(refusal)


def forbidden(check: str) -> Outcome:
    """Return that the dry run is not allowed."""
    return Outcome(check, NOT_CHECKED, "you may not create pods, not even in a dry run", "Needs `create` on `pods`.")
