# SPDX-License-Identifier: GPL-3.0-or-later
"""Text to C# values, as YamlDotNet's ScalarNodeDeserializer does it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config import scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("+5", 5), ("-5", -5), ("0", 0), (" 5 ", 5), ("60_000", 60000),
        ("0x7d0", 2000), ("0b101", 5), ("010", 8), ("1:30", 90), ("2147483647", 2**31 - 1), ("-2147483648", -(2**31)),
    ],
)  # fmt: skip
def test_whole_numbers(text: str, value: int) -> None:
    assert scalars.to_integer(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "5.0", "1e3", "08", "0x", "_", "5,000", "2147483648", "-2147483649", "٣", "1" * 101]
)
def test_no_whole_numbers(text: str) -> None:
    with pytest.raises(ValueError):
        scalars.to_integer(text)


@pytest.mark.parametrize(
    ("text", "value"), [("2", 2.0), ("2.5", 2.5), (".5", 0.5), ("2.", 2.0), ("1e3", 1000.0), ("1_000.5", 1000.5)]
)
def test_reals(text: str, value: float) -> None:
    assert scalars.to_real(text) == value


@pytest.mark.parametrize("text", ["", ".", "2,5", "x", "inf", "nan", "1e", "0x1"])
def test_no_reals(text: str) -> None:
    with pytest.raises(ValueError):
        scalars.to_real(text)


@pytest.mark.parametrize(
    ("text", "value"), [("3", "3"), ("3.0", "3"), (".08", "0.08"), ("-1", "-1"), ("1-", "-1"), ("1_000", "1000")]
)
def test_decimals(text: str, value: str) -> None:
    assert scalars.to_decimal(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", ".", "3e0", "3,5", "-1-", "79228162514264337593543950336", "_"])
def test_no_decimals(text: str) -> None:
    with pytest.raises(ValueError):
        scalars.to_decimal(text)


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "y", "Yes", "on"])
def test_true(text: str) -> None:
    assert scalars.to_flag(text) is True


@pytest.mark.parametrize("text", ["false", "N", "no", "Off"])
def test_false(text: str) -> None:
    assert scalars.to_flag(text) is False


@pytest.mark.parametrize("text", ["", "1", "0", "enabled", " true"])
def test_neither(text: str) -> None:
    with pytest.raises(ValueError):
        scalars.to_flag(text)
