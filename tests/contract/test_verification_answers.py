# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify asks a Dispatcher and a Redis, over sockets as a port-forward gives them, and what it concludes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.redis_over_socket import RedisClient
from ansible_collections.agentsmith.platform.plugins.plugin_utils.slack.slack_payload import url_verification
from ansible_collections.agentsmith.platform.plugins.plugin_utils.slack.slack_signature import signature_headers
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import dispatcher as checks
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import redis
from slack_request import SlackSender

ARGUMENTS = redis.arguments_of(["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--save", ""])


def asked(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connected:
        return send_request(connected, method, path, body, headers)


def test_a_dispatcher_passes(dispatcher: SlackSender) -> None:
    assert checks.check_health("health", asked(dispatcher.url, "GET", "/health")).result == "ok"
    payload = url_verification("marked")
    for secret, result in ((dispatcher.secret, ("ok", "failed")), ("another", ("failed", "ok"))):
        headers = {"Content-Type": payload.content_type, **signature_headers(secret, payload.body, int(time.time()))}
        answer = asked(dispatcher.url, "POST", "/slack/events", payload.body, headers)
        right = checks.check_challenge("challenge", "marked", answer)
        assert (right.result, checks.check_wrong_signature("wrong_signature", answer).result) == result


def test_a_redis_passes_until_it_is_changed(free_port: int, start_redis: Callable[..., object]) -> None:
    start_redis(free_port)
    with socket.create_connection(("127.0.0.1", free_port), timeout=10) as connected:
        client = RedisClient(connected)
        assert redis.check_ping("redis_ping", client.command("PING")).result == "ok"

        def results() -> list[str]:
            settings = {name: client.command("CONFIG", "GET", name)[1] for name in redis.SETTINGS}
            functions = (redis.check_maxmemory, redis.check_policy, redis.check_persistence)
            return [function("name", settings, ARGUMENTS).result for function in functions]

        client.command("CONFIG", "SET", "maxmemory", "64mb")
        client.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert results() == ["ok", "ok", "ok"]
        client.command("CONFIG", "SET", "maxmemory", "32mb")
        client.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        client.command("CONFIG", "SET", "save", "900 1")
        assert results() == ["failed", "failed", "failed"]
