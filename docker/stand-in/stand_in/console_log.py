# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs in the shapes of .NET's console logger, as the Dispatcher and the agent write them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping

from stand_in.log_levels import LogLevels

START_UP = "Startup"
"""Category of what is logged before the host is there, by a logger that no variable changes."""
_SHORT_NAMES = {
    logging.DEBUG: "dbug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "fail",
    logging.CRITICAL: "crit",
}
_NAMES = {
    logging.DEBUG: "Debug",
    logging.INFO: "Information",
    logging.WARNING: "Warning",
    logging.ERROR: "Error",
    logging.CRITICAL: "Critical",
}


class ConsoleFormatter(logging.Formatter):
    """`info: Category[0]` and the message on lines of its own, indented by six blanks."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        message = super().format(record).replace("\n", "\n      ")
        return f"{_SHORT_NAMES[record.levelno]}: {record.name}[{_event_id(record)}]\n      {message}"


class JsonFormatter(logging.Formatter):
    """One object a line, for `Logging__Console__FormatterName=json`."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry = {
            "EventId": _event_id(record),
            "LogLevel": _NAMES[record.levelno],
            "Category": record.name,
            "Message": record.getMessage(),
        }
        if record.exc_info:
            entry["Exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def event(number: int) -> dict[str, object]:
    """Return what a log call takes as `extra`, so that the record has the number of an event of .NET's libraries."""
    return {"event_id": number}


def log_to_console(environment: Mapping[str, str], otherwise: int) -> None:
    """Send to stdout what the environment wants; `otherwise` is the lowest level without it. Raises LogLevelError."""
    # A lone surrogate can arrive in JSON and must not end the Dispatcher.
    sys.stdout.reconfigure(errors="backslashreplace")
    levels = LogLevels(environment, otherwise)
    handler = logging.StreamHandler(sys.stdout)
    as_json = environment.get("Logging__Console__FormatterName", "").lower() == "json"
    handler.setFormatter(JsonFormatter() if as_json else ConsoleFormatter())
    handler.addFilter(levels)
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    start_up = logging.StreamHandler(sys.stdout)
    start_up.setFormatter(ConsoleFormatter())
    logger = logging.getLogger(START_UP)
    logger.addHandler(start_up)
    logger.propagate = False


def _event_id(record: logging.LogRecord) -> int:
    return getattr(record, "event_id", 0)
