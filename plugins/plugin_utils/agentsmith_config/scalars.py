# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalars as the app's YAML reader converts them.

YamlDotNet has only text; the type of the C# property decides what becomes of it, so `"5"`, `5` and `0x5` are the same
whole number, and `yes` is a bool. These functions follow its ScalarNodeDeserializer (YamlDotNet 16); each raises
ValueError for what the app refuses.
"""

from __future__ import annotations

import decimal
import re

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
_DECIMAL_MAX = decimal.Decimal(79228162514264337593543950335)
"""The largest System.Decimal."""

_INTEGER = re.compile(r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0([0-7_]+)|(0|[1-9][0-9_]*(?::[0-9_]+)*))", re.ASCII)
_REAL = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DECIMAL = re.compile(r"([-+]?)((?:[0-9][0-9_]*)?\.?[0-9]*)([-+]?)", re.ASCII)
TRUE_WORDS = ("true", "y", "yes", "on")
FALSE_WORDS = ("false", "n", "no", "off")
# More is no number that anybody means, and converting it would cost time that grows with the square of its length.
_LONGEST_NUMBER = 100


def _number(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        raise ValueError(text)
    return match


def to_integer(text: str) -> int:
    """A C# int: 32 bit; decimal, 0b, 0x, octal with a leading 0, base 60 with colons, `_` between digits."""
    sign, binary, hexadecimal, octal, parts = _number(_INTEGER, text).groups()
    value = 0
    if parts is not None:
        for part in parts.split(":"):
            value = value * 60 + int(part.replace("_", ""))
    else:
        digits, base = next((d, b) for d, b in ((binary, 2), (hexadecimal, 16), (octal, 8)) if d is not None)
        value = int(digits.replace("_", ""), base)
    value = -value if sign == "-" else value
    if not INT32_MIN <= value <= INT32_MAX:
        raise ValueError(text)
    return value


def to_real(text: str) -> float:
    """A C# double, always with a point. `.inf` and `.nan` convert in the app too, but no key of it can use them."""
    return float(_number(_REAL, text).group().replace("_", ""))


def to_decimal(text: str) -> decimal.Decimal:
    """A C# decimal: no exponent, always with a point, at most about 7.9e28."""
    leading, digits, trailing = _number(_DECIMAL, text).groups()
    if digits in ("", ".") or (leading and trailing):
        raise ValueError(text)
    value = decimal.Decimal(digits.replace("_", ""))
    value = -value if "-" in (leading, trailing) else value
    if abs(value) > _DECIMAL_MAX:
        raise ValueError(text)
    return value


def to_flag(text: str) -> bool:
    """A C# bool in YAML 1.1: true/y/yes/on, false/n/no/off, in any case. `1` and `0` are none."""
    word = text.lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(text)
