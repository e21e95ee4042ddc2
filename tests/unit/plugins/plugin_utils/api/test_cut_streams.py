# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into a pod that open and then break, by a server of WebSockets alone: what is an answer, and what is none."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    CommandMissing,
    ContainerOf,
    StreamCut,
    StreamFailed,
    forwarded_port,
    output_of,
    run_command,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.redis_over_socket import RedisClient

POD = ContainerOf("n", "p", "c")
PORT = 8080
Serve = Callable[[socket.socket], None]
# Texts of kubelets: containerd, and one with socat
REFUSED = 'failed to connect to localhost:8080 inside namespace "x", IPv4: dial tcp4 127.0.0.1:8080: connection refused'
SOCAT = "exit status 1: socat[7] E connect(5, AF=2 127.0.0.1:8080, 16): Connection refused"
DATA, ERROR, STDOUT, STATUS = 0, 1, 1, 3


def frame(channel: int, data: bytes) -> bytes:
    """Return a binary frame of the server."""
    payload = bytes([channel]) + data
    return bytes([0x82, 126]) + struct.pack(">H", len(payload)) + payload


def opening() -> bytes:
    """Return what a kubelet sends first for a forwarded port."""
    return frame(DATA, struct.pack("<H", PORT)) + frame(ERROR, struct.pack("<H", PORT))


def says(*frames: bytes | None, close: bool = True) -> Serve:
    """Serve these frames, then close the connection. None waits for what the client sends."""

    def serve(peer: socket.socket) -> None:
        for data in frames:
            if data is None:
                peer.recv(65536)
            else:
                peer.sendall(data)
        if close:
            peer.sendall(b"\x88\x02\x03\xe8")  # the frame that closes a WebSocket
            peer.shutdown(socket.SHUT_WR)

    return serve


def resets(peer: socket.socket) -> None:
    """Cut the connection as a firewall does."""
    peer.sendall(opening())
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def echoes(peer: socket.socket) -> None:
    """Answer a masked frame of the client, at most 125 bytes long, with what it has in it for stdin."""
    received = peer.recv(65536)
    length, mask, payload = received[1] & 0x7F, received[2:6], received[6:]
    text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload[:length]))
    assert text[0] == 0
    says(frame(STDOUT, text[1:]), ended("Success"))(peer)


def ended(status: str, message: str = "", code: str = "") -> bytes:
    """Return the frame with which an exec ends."""
    causes = [{"reason": "ExitCode", "message": code}] if code else []
    return frame(STATUS, json.dumps({"status": status, "message": message, "details": {"causes": causes}}).encode())


def connection_to(listener: socket.socket, directory: Path) -> Connection:
    """Return a connection to what listens there, by a kubeconfig in *directory*."""
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{listener.getsockname()[1]}"}}],
        "users": [{"name": "c", "user": {"token": "none"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    (directory / "kubeconfig").write_text(json.dumps(content), encoding="utf-8")
    return Connection({"kubeconfig": str(directory / "kubeconfig")})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[Serve], Connection]]:
    """Return a connection to a server that takes every stream and serves it so: `served(serve)`."""
    listener = socket.create_server(("127.0.0.1", 0))
    how: list[Serve] = []
    peers: list[socket.socket] = []

    def answer() -> None:
        while True:
            try:
                peer, _address = listener.accept()
            except OSError:
                return
            peers.append(peer)
            request = peer.recv(65536).decode()
            key = re.search(r"(?i)sec-websocket-key: (\S+)", request)
            assert key, request
            accept = hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
            )
            with contextlib.suppress(OSError):  # the client may hang up before everything is said
                how[0](peer)

    server = threading.Thread(target=answer, daemon=True)
    server.start()
    with connection_to(listener, tmp_path) as connection:

        def run(serve: Serve) -> Connection:
            how[:] = [serve]
            return connection

        yield run
    listener.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
    server.join(10)
    assert not server.is_alive(), "the server still serves a stream, whose socket must not be closed below it"
    listener.close()
    for peer in peers:
        peer.close()


def health(connection: Connection) -> Any:
    with forwarded_port(connection, POD, PORT, 1) as connected:
        return send_request(connected, "GET", "/health")


def ping(connection: Connection) -> Any:
    with forwarded_port(connection, POD, PORT, 1) as connected:
        return RedisClient(connected).command("PING")


def read_file(connection: Connection) -> Any:
    return output_of(connection, POD, ["cat", "/app/config/agentsmith.yml"])


NO_ANSWER = {
    "closed at once": says(opening()),
    "closed before the ports are named": says(),
    "reset": resets,
    "silent": says(opening(), close=False),
    "the kubelet lost the pod": says(opening(), frame(ERROR, b"lost connection to pod")),
    "the sandbox is gone": says(opening(), frame(ERROR, b"network namespace for sandbox is closed")),
}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("ask", [health, ping])
@pytest.mark.parametrize("how", NO_ANSWER)
def test_a_stream_that_breaks_is_no_answer(served: Any, how: str, ask: Callable[[Connection], Any]) -> None:
    with pytest.raises(StreamCut, match="pod p, port 8080: "):
        ask(served(NO_ANSWER[how]))


@pytest.mark.parametrize(
    ("ask", "serve", "words"),
    [
        (health, says(opening(), frame(ERROR, REFUSED.encode())), "connection refused"),
        (ping, says(opening(), frame(ERROR, SOCAT.encode())), "Connection refused"),
        (health, says(opening(), None, frame(DATA, b"-ERR unknown command\r\n")), "not HTTP"),
        (ping, says(opening(), None, frame(DATA, b"-NOAUTH Authentication required.\r\n")), "NOAUTH"),
        (ping, says(opening(), None, frame(DATA, b"HTTP/1.1 400 Bad Request\r\n\r\n")), "no Redis"),
        (read_file, says(ended("Failure", "command terminated", "1")), "exit code 1"),
    ],
)
def test_an_answer_that_is_wrong_stays_a_failure(served: Any, ask: Any, serve: Serve, words: str) -> None:
    with pytest.raises(StreamFailed, match=words) as caught:
        ask(served(serve))
    assert not isinstance(caught.value, StreamCut)


def test_half_an_answer_is_none(served: Any) -> None:
    half = frame(DATA, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    with pytest.raises(StreamCut):
        health(served(says(opening(), None, half)))
    with pytest.raises(StreamCut):
        ping(served(says(opening(), None, frame(DATA, b"$100\r\nhalf"))))


@pytest.mark.parametrize(
    ("serve", "error", "words"),
    [
        (says(frame(STDOUT, b"half of it")), StreamCut, "cut"),
        (resets, StreamCut, "cut"),
        (says(ended("Failure", 'container not found ("c")')), StreamCut, "container not found"),
        (says(ended("Failure", 'exec: "cat": executable file not found in $PATH')), CommandMissing, "does not contain"),
        (says(ended("Failure", "executable file `cat` not found in $PATH")), CommandMissing, "does not contain"),
        (says(ended("Failure", "command terminated with exit code 127", "127")), CommandMissing, "does not contain"),
    ],
)
def test_a_command_that_could_not_be_run(served: Any, serve: Serve, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_file(served(serve))


def test_a_command_that_ends(served: Any) -> None:
    done = run_command(served(says(frame(STDOUT, b"text"), frame(2, b"words"), ended("Success"))), POD, ["cat"])
    assert (done.code, done.output, done.errors) == (0, "text", "words")
    echo = run_command(served(echoes), POD, ["cat"], "what ä reads".encode())
    assert (echo.code, echo.output) == (0, "what ä reads")
    assert run_command(served(says(ended("Failure", "x", "124"))), POD, ["timeout", "3", "redis-cli"]).code == 124


def test_a_way_that_does_not_open_is_tried_once_by_those_who_are_in_a_hurry(tmp_path: Path) -> None:
    """A server that takes the connection and says nothing, as one does whose kubelet is silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener, connection_to(listener, tmp_path) as connection:
        began = time.monotonic()
        with pytest.raises(StreamCut), forwarded_port(connection, POD, PORT, 60.0, patience=0.3):
            pytest.fail("it cannot open")
        assert time.monotonic() - began < 10
