# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call of Redis to the Dispatcher, and the Dispatcher's own connection, say about the network."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import EndedCommand
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.network_policy import (
    is_connected,
    judge,
)

# As redis-cli 7.0 and 7.4 write them
TAKEN = [
    EndedCommand(1, "", 'Error: Protocol error, got "H" as reply type byte\n'),
    EndedCommand(1, "", "Error: Server closed the connection\n"),
    EndedCommand(0, "PONG\n", ""),
]
NOT_TAKEN = [
    EndedCommand(124, "", ""),  # timeout of coreutils
    EndedCommand(143, "", ""),  # timeout of busybox
    EndedCommand(1, "", "Could not connect to Redis at 10.0.0.5:8080: Connection refused\n"),
    EndedCommand(1, "", "Could not connect to Redis at 10.0.0.5:8080: No route to host\n"),
]


@pytest.mark.parametrize("call", TAKEN)
@pytest.mark.parametrize("reaches", [True, False])
def test_a_call_that_is_taken_proves_that_nothing_is_enforced(call: EndedCommand, reaches: bool) -> None:
    outcome = judge(call, reaches, "10.0.0.5", required=False)
    assert outcome.result == "warning"
    assert outcome.evidence.startswith("not enforced: ")
    assert judge(call, reaches, "10.0.0.5", required=True).result == "failed"


@pytest.mark.parametrize("call", NOT_TAKEN)
@pytest.mark.parametrize("required", [True, False])
def test_a_call_that_is_not_taken_counts_where_the_way_is_good(call: EndedCommand, required: bool) -> None:
    outcome = judge(call, True, "10.0.0.5", required)
    assert (outcome.result, outcome.evidence.split(":")[0]) == ("ok", "enforced")
    assert judge(call, False, "10.0.0.5", required).result == "not checked"


def test_the_clients_of_redis() -> None:
    clients = (
        "id=5 addr=10.244.0.5:50654 laddr=10.244.0.4:6379 name=x\nid=9 addr=[fd00::5]:56346 laddr=[fd00::4]:6379\n"
    )
    assert is_connected(clients, "10.244.0.5")
    assert is_connected(clients, "fd00::5")
    assert not is_connected(clients, "10.244.0.4"), "that is Redis itself"
    assert not is_connected(clients, "10.244.0.50")
