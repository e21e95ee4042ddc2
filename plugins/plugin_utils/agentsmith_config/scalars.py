# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalars as the app's YAML reader converts them.

YamlDotNet has only text; the type of the C# property decides what becomes of it, so `"5"`, `5` and `0x5` are the same
whole number, and `yes` is a bool. These functions follow its ScalarNodeDeserializer (YamlDotNet 16); each raises
ValueError for what the app refuses.
"""

import decimal
import re
from collections.abc import Callable
from typing import Any

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
_DECIMAL_MAX = decimal.Decimal(79228162514264337593543950335)
"""The largest System.Decimal."""

_INTEGER = re.compile(r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0([0-7_]+)|(0|_*[1-9][0-9_]*(?::[0-9_]+)*))", re.ASCII)
_REAL = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DECIMAL = re.compile(r"([-+]?)((?:[0-9][0-9_]*)?\.?[0-9]*)([-+]?)", re.ASCII)
_SPECIAL = re.compile(r"[-+]?\.(?i:inf)|\.(?:nan|NaN|NAN)")
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
    """A C# double, always with a point; `.inf` and `.nan` in three spellings each."""
    if (special := _SPECIAL.fullmatch(text)) is not None:
        return float(special.group().replace(".", ""))
    return float(_number(_REAL, text).group().replace("_", ""))


def to_decimal(text: str) -> decimal.Decimal:
    """A C# decimal: no exponent, always with a point, at most about 7.9e28."""
    leading, digits, trailing = _number(_DECIMAL, text).groups()
    if digits in ("", ".") or (leading and trailing):
        raise ValueError(text)
    value = decimal.Decimal(digits.replace("_", ""))
    value = value.copy_negate() if "-" in (leading, trailing) else value
    if value.copy_abs() > _DECIMAL_MAX:
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


TAGS = frozenset(("str", "int", "float", "bool", "timestamp"))
"""The YAML tags for which the app's reader has a type. It converts twice then: to that type, and to the key's."""


def convert(text: str, target: str, tag: str | None = None) -> Any:
    """A scalar as the type of a key, by way of the type of its tag.

    Args:
        text: the scalar.
        target: `int`, `float`, `decimal`, `bool` or `str`.
        tag: a member of TAGS, None for none.
    """
    if tag is None or (tag == "str" and target == "str"):
        return _BY_TYPE[target](text)
    if tag == "str":
        # .NET's own conversion of text: no words but true and false, no prefix, no `_`
        return _BY_TYPE[target](_plain(text, target))
    if tag == "timestamp":
        if target != "str":
            raise ValueError(text)
        return text
    value = _BY_TYPE[tag](text)
    if target == "str":
        return str(value) if isinstance(value, int) else f"{value:g}"
    if target == "bool":
        return bool(value)
    if target == "int":
        return _in_range(round(value), text)
    return decimal.Decimal(str(value + 0)) if target == "decimal" else float(value)


def _plain(text: str, target: str) -> str:
    bare = text.strip()
    words = ("true", "false") if target == "bool" else ()
    if bare.lower() in words or re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?", bare):
        return bare.lstrip("0") or "0" if target == "int" else bare
    raise ValueError(text)


def _in_range(value: int, text: str) -> int:
    if not INT32_MIN <= value <= INT32_MAX:
        raise ValueError(text)
    return value


_BY_TYPE: dict[str, Callable[[str], Any]] = {
    "int": to_integer,
    "float": to_real,
    "decimal": to_decimal,
    "bool": to_flag,
    "str": str,
}
