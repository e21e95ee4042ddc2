# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of log lines, and which ones there are."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from stand_in.console_log import ConsoleFormatter, JsonFormatter, event
from stand_in.log_levels import LogLevelError, LogLevels


def record(level: int, message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("Category", level, __file__, 1, message, ("line",), None)
    made.__dict__.update(fields)
    return made


@pytest.mark.parametrize(
    ("level", "shown"), [(logging.INFO, "info"), (logging.WARNING, "warn"), (logging.ERROR, "fail")]
)
def test_lines_are_those_of_dotnets_console_logger(level: int, shown: str) -> None:
    line = ConsoleFormatter().format(record(level, "first %s\nsecond", **event(14)))
    assert line == f"{shown}: Category[14]\n      first line\n      second"
    assert ConsoleFormatter().format(record(level, "a %s")).startswith(f"{shown}: Category[0]\n")


def test_json_is_one_line_a_record() -> None:
    line = JsonFormatter().format(record(logging.WARNING, "first %s\nsecond", **event(14)))
    assert "\n" not in line
    assert json.loads(line) == {
        "EventId": 14,
        "LogLevel": "Warning",
        "Category": "Category",
        "Message": "first line\nsecond",
    }


def test_json_has_the_exception() -> None:
    try:
        raise ValueError("marked")
    except ValueError:
        line = JsonFormatter().format(record(logging.ERROR, "%s", exc_info=sys.exc_info()))
    assert "ValueError: marked" in json.loads(line)["Exception"]


@pytest.mark.parametrize(
    ("environment", "category", "lowest"),
    [
        ({}, "A.B", logging.INFO),
        ({"Logging__LogLevel__Default": "Warning"}, "A.B", logging.WARNING),
        ({"Logging__LogLevel__A": "Warning"}, "A.B", logging.WARNING),
        ({"Logging__LogLevel__A.B": "Error", "Logging__LogLevel__A": "Debug"}, "A.B.C", logging.ERROR),
        ({"Logging__LogLevel__A.B.C": "Error"}, "A.B", logging.INFO),
        # A prefix of the text, not of its parts.
        ({"Logging__LogLevel__A.B": "Error"}, "A.Bc", logging.ERROR),
        ({"LOGGING__LOGLEVEL__a.b": "error"}, "A.B", logging.ERROR),
        ({"Logging__LogLevel__A": "None"}, "A", logging.CRITICAL + 1),
        ({"Logging__LogLevel__Default": "Error", "Logging__LogLevel__A": "Trace"}, "A", logging.NOTSET),
        ({"Logging__Console__LogLevel__A": "Debug", "Logging__LogLevel__A": "Error"}, "A", logging.DEBUG),
        ({"Logging__LogLevel__A": ""}, "A", logging.INFO),
        ({"Logging__LogLevel": "Error", "Logging__Console__FormatterName": "json"}, "A", logging.INFO),
    ],
)
def test_the_longest_prefix_decides(environment: dict[str, str], category: str, lowest: int) -> None:
    assert LogLevels(environment, logging.INFO).lowest(category) == lowest


@pytest.mark.parametrize("name", ["Info", "Warn", "3x"])
def test_a_level_that_is_none(name: str) -> None:
    with pytest.raises(LogLevelError, match=f"value '{name}' for category 'A.B' is not supported"):
        LogLevels({"Logging__LogLevel__A.B": name}, logging.INFO)
