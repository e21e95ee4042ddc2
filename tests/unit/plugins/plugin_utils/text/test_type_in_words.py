# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages name the type of a value in words, also of one that Ansible has read and marked with its origin."""

from __future__ import annotations

import datetime

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.agentsmith.platform.plugins.plugin_utils.text.type_in_words import type_in_words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("two", "a text"),
        ("3", "a number"),
        ("1.10", "a fraction"),
        ("yes", "a boolean"),
        ("[a]", "a list"),
        ("{a: b}", "a dictionary"),
        ("2026-01-01", "a date"),
        ("null", "null"),
    ],
)
def test_a_value_that_ansible_has_read(written: str, words: str) -> None:
    assert type_in_words(DataLoader().load(written, file_name="/values.yml")) == words


def test_a_type_that_yaml_does_not_have() -> None:
    assert type_in_words(datetime.timedelta()) == "of the type timedelta"
