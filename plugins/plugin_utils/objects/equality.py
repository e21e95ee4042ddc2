# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two values are the same in JSON: there, true is not 1, which Python takes for equal."""

from collections.abc import Mapping
from typing import Any


def same_in_json(one: Any, other: Any) -> bool:
    """Compare two values of an object with all that is in them."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_in_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_in_json, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
