# SPDX-License-Identifier: GPL-3.0-or-later
"""The type of a value in words, for messages. Values that Ansible has read are of types that it made itself."""

from datetime import date


def type_in_words(value: object) -> str:
    """Name the type of a value: "null", "a list"."""
    if value is None:
        return "null"
    kinds = (
        (str, "a text"),
        (bool, "a boolean"),
        (int, "a number"),
        (float, "a fraction"),
        (dict, "a dictionary"),
        (list, "a list"),
        (date, "a date"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), f"of the type {type(value).__name__}")
