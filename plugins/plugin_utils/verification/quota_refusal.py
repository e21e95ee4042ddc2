# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal by a ResourceQuota means: that it is used up at this moment, or that it would never let this in.

The API server names the first quota that refuses, and of it what is exceeded:
`exceeded quota: NAME, requested: A=1,B=2, used: A=3,B=4, limited: A=3,B=5`.
"""

from __future__ import annotations

import re

from ..objects.errors import ApiError

try:
    from kubernetes.utils.quantity import parse_quantity
except ImportError:  # reported by the connection, before anything is asked
    parse_quantity = None  # type: ignore[assignment]

_EXCEEDED = re.compile(r"exceeded quota: [^,]+, requested: (?P<requested>.+), used: .+, limited: (?P<limited>.+)")


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


def _amounts(text: str) -> dict[str, str]:
    return {name: amount for name, _equals, amount in (entry.partition("=") for entry in text.split(","))}
