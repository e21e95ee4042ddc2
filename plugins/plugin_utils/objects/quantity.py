# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities of Kubernetes, such as `500m` and `2Gi`. The Python client has the same, and costs a second to import."""

import re
from decimal import Decimal

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([KMGTPE]i|[numkKMGTPE])?")
_FACTORS = {
    name: Decimal(1000) ** power for power, name in enumerate(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"], -3)
}
_FACTORS |= {f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", 1)}
_FACTORS["K"] = _FACTORS["k"]


def parse_quantity(quantity: str | float | Decimal) -> Decimal:
    """Return a quantity as a number.

    :raises ValueError: when it is none.
    """
    found = _SHAPE.fullmatch(str(quantity))
    if not found:
        raise ValueError(f"{quantity} is no quantity")
    return Decimal(found[1]) * _FACTORS[found[2] or ""]
