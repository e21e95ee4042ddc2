# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities, compared with the Python client's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.quantity import parse_quantity
from kubernetes.utils import quantity as client

SUFFIXES = ["", "n", "u", "m", "k", "K", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]


@pytest.mark.parametrize(
    "number", ["0", "1", "-1", "+2", "0.5", "1.", ".5", "1e3", "12E2", "1e-3", "123456789012345678"]
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_it_is_read_as_by_the_client(number: str, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == client.parse_quantity(f"{number}{suffix}")


@pytest.mark.parametrize("number", [1, 0, 2.5, Decimal("0.1")])
def test_a_number(number: Any) -> None:
    assert parse_quantity(number) == Decimal(str(number))


@pytest.mark.parametrize(
    "text", ["", "m", "1x", "1 m", "1mi", "ki", "1Kii", "one", "1,5", "NaN", "Infinity", "True", "1\n"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(text)
