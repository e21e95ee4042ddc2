# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis is the ephemeral, bounded store that the app expects, asked from inside."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("setting", "value"),
    [("maxmemory", "268435456"), ("maxmemory-policy", "allkeys-lru"), ("save", ""), ("appendonly", "no")],
)
def test_setting(kubectl, setting, value):
    answer = kubectl("-n agentsmith exec deploy/redis -- redis-cli config get %s", setting).split("\n")
    assert answer[0] == setting
    assert "".join(answer[1:]) == value


def test_answers_to_other_pods_by_its_service_name(kubectl):
    """Debian's protected mode would answer -DENIED to everything that is not loopback."""
    probe = (
        "import socket; redis = socket.create_connection(('redis', 6379), 5);"
        " redis.sendall(b'PING\\r\\n'); print(redis.recv(64).decode())"
    )
    assert kubectl("-n agentsmith exec deploy/agentsmith-dispatcher -- python3 -c %s", probe).strip() == "+PONG"


def test_never_runs_twice(get):
    assert get("deployment/redis")["spec"]["strategy"] == {"type": "Recreate"}
