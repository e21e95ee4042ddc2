# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of a pod by the API server means: whether waiting helps, whether a quota refuses, whether we may ask.

Of a quota, it names the first one that refuses, and of it what is exceeded:
`exceeded quota: NAME, requested: A=1,B=2, used: A=3,B=4, limited: A=3,B=5`.
"""

import re

from ..objects.errors import ApiError
from ..objects.quantity import parse_quantity
from .outcome import NOT_CHECKED, Outcome

_EXCEEDED = re.compile(r"exceeded quota: [^,]+, requested: (?P<requested>.+), used: .+, limited: (?P<limited>.+)")
# As job_state has them for a Job without a pod
_REFUSALS = ("quota: ", "Pod Security: ", "FailedCreate: ")


def is_for_good(cause: str) -> bool:
    """Tell of a Job's cause whether waiting does not help: all but a quota that other pods use up now, and a fault."""
    if not cause.startswith(_REFUSALS):
        return False
    if "exceeded quota: " in cause:
        return is_too_small(cause)
    return "is forbidden: " in cause or "denied the request" in cause


def is_by_quota(refusal: ApiError) -> bool:
    """Tell whether a quota refuses."""
    return refusal.status == 403 and "exceeded quota: " in str(refusal)


def is_too_small(refusal: ApiError | str) -> bool:
    """Tell whether the quota would refuse with nothing used as well."""
    told = _EXCEEDED.search(str(refusal))
    if not told:
        return False
    requested, limited = _amounts(told["requested"]), _amounts(told["limited"])
    return any(parse_quantity(requested[name]) > parse_quantity(limit) for name, limit in limited.items())


def may_not_create(refusal: ApiError) -> bool:
    """Tell whether it is we who may not create pods, rather than the pod that may not be created."""
    return refusal.status == 403 and 'cannot create resource "pods"' in str(refusal)


def forbidden(check: str) -> Outcome:
    """Return that the dry run is not allowed."""
    return Outcome(check, NOT_CHECKED, "you may not create pods, not even in a dry run", "Needs `create` on `pods`.")


def _amounts(text: str) -> dict[str, str]:
    return {name: amount for name, _equals, amount in (entry.partition("=") for entry in text.split(","))}
