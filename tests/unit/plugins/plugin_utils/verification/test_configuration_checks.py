# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration in the ConfigMap and in the pods."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import configuration

TEXT = "projects: {}\n"


@pytest.mark.parametrize(
    ("live", "intended", "result"),
    [
        ({"data": {"agentsmith.yml": TEXT}}, TEXT, "ok"),
        ({"data": {"agentsmith.yml": TEXT + "# hand"}}, TEXT, "failed"),
        ({"data": {"agentsmith.yml": TEXT}}, None, "not checked"),
        ({"data": {"other.yml": TEXT}}, TEXT, "failed"),
        ({}, TEXT, "failed"),
        (None, None, "failed"),
    ],
)
def test_config_map(live: dict[str, Any] | None, intended: str | None, result: str) -> None:
    assert configuration.check_config_map("config_map", "agentsmith-config", live, intended).result == result


def test_mounted_file() -> None:
    outcome = configuration.check_mounted("mounted_config", [("a", TEXT), ("b", TEXT)], TEXT)
    assert (outcome.result, outcome.evidence) == ("ok", f"a: {configuration.digest(TEXT)}, as in the ConfigMap")
    outcome = configuration.check_mounted("mounted_config", [("a", TEXT), ("b", "old")], TEXT)
    assert outcome.result == "failed"
    assert outcome.evidence == f"b: {configuration.digest('old')}, but {configuration.digest(TEXT)} in the ConfigMap"
