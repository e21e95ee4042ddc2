# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables of the stand-in Slack, with messages that name them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it."""


def required(environment: Mapping[str, str], name: str, meaning: str) -> str:
    """Return a variable's value. Raises SettingsError."""
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: {meaning}.")
    return value


def required_file(environment: Mapping[str, str], name: str, meaning: str) -> Path:
    """Return the path of a file that can be read and is not empty. Raises SettingsError."""
    path = Path(required(environment, name, meaning))
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}.") from None
    if not content:
        raise SettingsError(f"{name}: {path} is empty.")
    return path
