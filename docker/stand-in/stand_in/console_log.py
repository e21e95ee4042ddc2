# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines on stdout in the shape of .NET's simple console logger, so that what reads the app's log reads these."""

from __future__ import annotations

import logging
import sys

_LEVELS = {
    logging.DEBUG: "dbug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "fail",
    logging.CRITICAL: "crit",
}


class ConsoleFormatter(logging.Formatter):
    """`info: Category[0]` and the message on lines of its own, indented by six blanks."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        message = super().format(record).replace("\n", "\n      ")
        return f"{_LEVELS[record.levelno]}: {record.name}[0]\n      {message}"


def log_to_console(development: bool) -> None:
    """Send every record to stdout: from Debug on in ASP.NET's environment `Development`, else from Information on."""
    # A lone surrogate can arrive in JSON and must not end the Dispatcher.
    sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(ConsoleFormatter())
    logging.basicConfig(level=logging.DEBUG if development else logging.INFO, handlers=[handler])
