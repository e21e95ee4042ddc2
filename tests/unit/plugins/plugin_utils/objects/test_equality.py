# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values are the same to the API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.equality import same_in_json


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (True, True, True),
        (1, True, False),
        (0, False, False),
        (0.0, False, False),
        ("1", 1, False),
        (None, False, False),
        ({}, [], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": [1, {"b": 0}]}, {"a": [1, {"b": 0}]}, True),
        ({"a": [1, {"b": 0}]}, {"a": [1, {"b": False}]}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
    ],
)
def test_true_is_not_1(one: Any, other: Any, same: bool) -> None:
    assert same_in_json(one, other) is same
    assert same_in_json(other, one) is same
