# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log records are written: .NET's rules for the variables `Logging__LogLevel__<category>=<level>`.

See https://learn.microsoft.com/dotnet/core/extensions/logging#how-filtering-rules-are-applied
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

# `None` switches a category off.
_LEVELS = {
    "trace": logging.NOTSET,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
# The names of variables are compared without their case. Rules for the console win over those for all providers.
_PREFIXES = ("logging__loglevel__", "logging__console__loglevel__")


class LogLevelError(ValueError):
    """A level that .NET does not know: the app does not start."""


class LogLevels:
    """The lowest level of every category."""

    def __init__(self, environment: Mapping[str, str], otherwise: int) -> None:
        """`otherwise` is the level where no variable says anything. Raises LogLevelError."""
        self._rules: dict[str, int] = {}
        for prefix in _PREFIXES:
            rules = {
                name[len(prefix) :].lower(): _level(name[len(prefix) :], value)
                for name, value in environment.items()
                if value and name.lower().startswith(prefix)
            }
            self._rules |= rules
        self._otherwise = self._rules.pop("default", otherwise)

    def lowest(self, category: str) -> int:
        """Return the level of the longest rule that the category begins with, whatever the case."""
        matching = [rule for rule in self._rules if category.lower().startswith(rule)]
        return self._rules[max(matching, key=len)] if matching else self._otherwise

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written: the method by which a logging handler asks."""
        return record.levelno >= self.lowest(record.name)


def _level(category: str, name: str) -> int:
    try:
        return _LEVELS[name.strip().lower()]
    except KeyError:
        raise LogLevelError(
            f"Configuration value '{name}' for category '{category}' is not supported. Allowed: {', '.join(_LEVELS)}."
        ) from None
