# SPDX-License-Identifier: GPL-3.0-or-later
"""To free channels where nothing runs is refused with what is wrong; tests/contract has those that are stuck."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.conversations import free_channels
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

DISPATCHER = {"/apis/apps/v1/namespaces/here/deployments/agentsmith-dispatcher": {"kind": "Deployment"}}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, r"^No release runs in the namespace here, .* Nothing was changed\. Deploy the release\."),
        # Its Redis is elsewhere
        (DISPATCHER, "^Redis is not in this namespace$"),
    ],
)
def test_where_there_is_no_redis(answers: dict[str, Any], said: str) -> None:
    target = Target(FakeConnection(answers), Names("here"), [])  # type: ignore[arg-type]
    with pytest.raises(ApplyError, match=said):
        free_channels(target, [], datetime.now(UTC), check_mode=True)
