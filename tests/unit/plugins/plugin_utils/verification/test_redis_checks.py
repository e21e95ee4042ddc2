# SPDX-License-Identifier: GPL-3.0-or-later
"""What Redis runs with, against what its Deployment says."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import redis

LIVE = {"maxmemory": "268435456", "maxmemory-policy": "allkeys-lru", "save": "", "appendonly": "no"}
ARGS = ["--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru", "--save", "", "--appendonly", "no"]


def test_arguments_with_an_empty_and_with_several_values() -> None:
    arguments = redis.arguments_of(["redis-server", *ARGS, "--save", "900", "1"])
    assert arguments["maxmemory"] == "256mb"
    assert arguments["appendonly"] == "no"
    assert redis.arguments_of(["--save", ""]) == {"save": ""}
    assert redis.arguments_of(["--save", "900", "1"]) == {"save": "900 1"}


@pytest.mark.parametrize(
    ("size", "count"),
    [("1", 1), ("1k", 1000), ("1kb", 1024), ("256MB", 268435456), ("1gb", 1073741824), ("lots", -1), ("1tb", -1)],
)
def test_sizes(size: str, count: int) -> None:
    assert redis.bytes_of(size) == count


@pytest.mark.parametrize(("reply", "result"), [("PONG", "ok"), ("LOADING", "failed"), (None, "failed")])
def test_ping(reply: object, result: str) -> None:
    assert redis.check_ping("redis_ping", reply).result == result


@pytest.mark.parametrize(
    ("live", "args", "results"),
    [
        ({}, ARGS, ["ok", "ok", "ok"]),
        ({"maxmemory": "0"}, ARGS, ["failed", "ok", "ok"]),
        ({"maxmemory-policy": "noeviction"}, ARGS, ["ok", "failed", "ok"]),
        ({"save": "3600 1"}, ARGS, ["ok", "ok", "failed"]),
        ({"appendonly": "yes"}, ARGS, ["ok", "ok", "failed"]),
        ({"appendonly": "yes"}, [*ARGS[:-1], "yes"], ["ok", "ok", "ok"]),
        ({}, [], ["ok", "not checked", "ok"]),
        ({"maxmemory": "0"}, [], ["failed", "not checked", "ok"]),
    ],
)
def test_settings(live: dict[str, str], args: list[str], results: list[str]) -> None:
    settings, arguments = {**LIVE, **live}, redis.arguments_of(args)
    checks = (redis.check_maxmemory, redis.check_policy, redis.check_persistence)
    assert [check("name", settings, arguments).result for check in checks] == results
