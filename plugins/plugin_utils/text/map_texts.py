# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in a value of lists and dictionaries, which Ansible marks one by one."""

from collections.abc import Callable
from typing import Any


def map_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """Return a copy of *value* with every text in it changed; keys of dictionaries stay as they are."""
    if isinstance(value, dict):
        return {key: map_texts(entry, change) for key, entry in value.items()}
    if isinstance(value, list):
        return [map_texts(entry, change) for entry in value]
    return change(value) if isinstance(value, str) else value
