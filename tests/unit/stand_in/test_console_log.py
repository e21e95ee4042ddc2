# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of log lines."""

from __future__ import annotations

import logging

import pytest
from stand_in.console_log import ConsoleFormatter


@pytest.mark.parametrize(
    ("level", "shown"), [(logging.INFO, "info"), (logging.WARNING, "warn"), (logging.ERROR, "fail")]
)
def test_lines_are_those_of_dotnets_console_logger(level: int, shown: str) -> None:
    record = logging.LogRecord("Category", level, __file__, 1, "first %s\nsecond", ("line",), None)
    assert ConsoleFormatter().format(record) == f"{shown}: Category[0]\n      first line\n      second"
