# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP and Redis over a socket that somebody else has connected."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import Mock

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.redis_over_socket import RedisClient, RedisError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import cluster_conversation
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.stand_in_slack import (
    SlackRefused,
    StandInSlack,
)


@contextmanager
def peer(*answers: bytes, timeout: float = 5.0) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """Yield a socket whose other end takes what is sent, answers with every piece of `answers`, and says no more."""
    ours, theirs = socket.socketpair()
    ours.settimeout(timeout)
    received: list[bytes] = []

    def serve() -> None:
        with theirs:
            received.append(theirs.recv(65536))
            for answer in answers:
                theirs.sendall(answer)
            # A client that is still sending must not find it closed.
            theirs.shutdown(socket.SHUT_WR)
            while theirs.recv(65536):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ours, received
    finally:
        ours.close()
        thread.join()


def test_http_request_and_answer() -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\nWWW-Authenticate: Basic\r\n\r\n"
    with peer(head, b"hello") as (connected, received):
        answer = send_request(connected, "POST", "/slack/events", b"{}", {"X-Slack-Signature": "v0=1"})
    assert (answer.status, answer.body) == (401, "hello")
    assert answer.headers == {"content-length": "5", "www-authenticate": "Basic"}
    assert 0 <= answer.elapsed < 5
    assert received[0].startswith(b"POST /slack/events HTTP/1.1\r\n")
    assert b"X-Slack-Signature: v0=1\r\n" in received[0]


def test_a_channel_with_long_messages_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"messages": [{"ts": "1", "text": "ä" * 40_000}]})
    with peer(b"HTTP/1.1 200 OK\r\n\r\n", text.encode()) as (connected, _received):
        monkeypatch.setattr(cluster_conversation, "forwarded_port", lambda *_arguments: nullcontext(connected))
        slack = StandInSlack(lambda *what: cluster_conversation._send(Mock(), Mock(), 8081, *what))  # noqa: SLF001
        assert slack.messages("C1") == [{"ts": "1", "text": "ä" * 40_000}]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"[" * 60_000, b'{"ok": true}'])
@pytest.mark.parametrize("status", [200, 201, 502])
def test_what_is_no_stand_in_slack(status: int, body: bytes) -> None:
    slack = StandInSlack(lambda *_what: Answer(status, body.decode(), 0.1))
    for use in (lambda: slack.add_channel("c"), lambda: slack.say("C1", "hi"), lambda: slack.messages("C1")):
        with pytest.raises(SlackRefused, match=f": {status}"):
            use()


def test_what_is_no_http() -> None:
    with (
        peer(b"-ERR unknown command\r\n") as (connected, _received),
        pytest.raises(OSError, match="the answer is not HTTP"),
    ):
        send_request(connected, "GET", "/health")


def test_no_answer_in_time() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.05)
        with pytest.raises(TimeoutError):
            send_request(ours, "GET", "/health")


@pytest.mark.parametrize(
    ("pieces", "reply"),
    [
        ([b"+PONG\r\n"], "PONG"),
        ([b":42\r\n"], 42),
        ([b"$-1\r\n"], None),
        ([b"*-1\r\n"], None),
        ([b"$0\r\n\r\n"], ""),
        ([b"*2\r\n$4\r\nsa", b"ve\r\n$3\r\na\r\n", b"\r\n"], ["save", "a\r\n"]),
    ],
)
def test_redis_replies(pieces: list[bytes], reply: object) -> None:
    with peer(*pieces) as (connected, received):
        assert RedisClient(connected).command("CONFIG", "GET", "save") == reply
    assert received == [b"*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$4\r\nsave\r\n"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis"),
        (b"?1\r\n", "no Redis"),
        (b"", "closed"),
    ],
)
def test_redis_refusals(answer: bytes, words: str) -> None:
    with peer(answer) as (connected, _received), pytest.raises(RedisError, match=words):
        RedisClient(connected).command("PING")
