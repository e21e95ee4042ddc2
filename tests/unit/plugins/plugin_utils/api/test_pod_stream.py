# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a way into a pod: by the same way as requests, also while the API server is passingly away."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    ContainerOf,
    StreamCut,
    forwarded_port,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.retry import FIRST_CONTACT_PERIOD
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import (
    ApiError,
    ApplyError,
    ConnectionFailed,
)
from local_servers import Authority, LocalProxy, closing

POD = ContainerOf("n", "p", "c")
DROPPED = 0
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
PORTS = (b"\0\x90\x1f", b"\1\x90\x1f")  # what the kubelet says first on both channels: port 8080


class Kubelet:
    """A server that fails by one status after another (0 drops the connection), then opens a stream.

    ``messages``: what it sends on the stream, those after the first None when it has received something.
    """

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        self.statuses: list[int] = []
        self.messages: list[bytes | None] = []
        self.then: Callable[[], None] = lambda: None
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def tokens(self) -> list[str]:
        """What it got as Authorization."""
        return [headers["authorization"] for _path, headers in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kubelet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                headers = {name.lower(): value for name, value in self.headers.items()}
                kubelet.asked.append((self.path, headers))
                if kubelet.statuses:
                    kubelet.then()
                    self._fail(kubelet.statuses.pop(0))
                    return
                key = base64.b64encode(hashlib.sha1(f"{headers['sec-websocket-key']}{GUID}".encode()).digest())  # noqa: S324
                self.send_response(101)
                for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade")):
                    self.send_header(name, value)
                self.send_header("Sec-WebSocket-Accept", key.decode())
                self.send_header("Sec-WebSocket-Protocol", headers["sec-websocket-protocol"].partition(",")[0])
                self.end_headers()
                for message in kubelet.messages:
                    if message is None:
                        self.connection.recv(65536)
                    else:
                        length = len(message)
                        size = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2)
                        self.wfile.write(b"\x82" + size + message)

            def _fail(self, status: int) -> None:
                if status:
                    body = json.dumps({"kind": "Status", "message": f"told {status}"}).encode()
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        return Handler


class Clock:
    """A clock that only a sleep moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority."""
    return Authority(tmp_path, "authority")


@pytest.fixture
def kubelet(authority: Authority) -> Iterator[Kubelet]:
    """What answers."""
    running = Kubelet(authority.sign("kubelet", "127.0.0.1", "internal.test"))
    with closing(running):
        yield running


Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, kubelet: Kubelet, authority: Authority) -> Write:
    """Write a kubeconfig with a token, and return its path."""

    def call(token: str = "old", **cluster: Any) -> str:  # noqa: S107
        entry = {"server": f"https://127.0.0.1:{kubelet.port}", "certificate-authority-data": authority.data}
        content = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {**entry, **cluster}}],
            "users": [{"name": "c", "user": {"token": token, "as": "eve"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return call


@pytest.fixture
def clock() -> Clock:
    """Return what the connection takes for the time."""
    return Clock()


@pytest.fixture
def connection(write: Write, clock: Clock) -> Iterator[Connection]:
    """A connection to the server."""
    with Connection({"kubeconfig": write()}, clock=clock, sleep=clock.sleep) as opened:
        yield opened


def forward(connection: Connection) -> None:
    """Open a forwarded port, and close it."""
    with forwarded_port(connection, POD, 8080, 1):
        pass


@pytest.mark.parametrize("status", [DROPPED, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_outlived(connection: Connection, kubelet: Kubelet, status: int) -> None:
    kubelet.statuses = [status, status]
    forward(connection)
    assert len(kubelet.asked) == 3


@pytest.mark.parametrize(("status", "error", "words"), [(DROPPED, StreamCut, "lost"), (503, ApiError, "told 503")])
def test_a_fault_that_stays_is_reported(
    connection: Connection, kubelet: Kubelet, clock: Clock, status: int, error: type[ApplyError], words: str
) -> None:
    kubelet.statuses = [status] * 1000
    with pytest.raises(error, match=words):
        forward(connection)
    assert clock.now == pytest.approx(FIRST_CONTACT_PERIOD)


def test_a_refusal_is_not_repeated(connection: Connection, kubelet: Kubelet) -> None:
    kubelet.statuses = [403]
    with pytest.raises(ApiError, match="told 403") as caught:
        forward(connection)
    assert caught.value.status == 403
    assert len(kubelet.asked) == 1


def test_an_expired_credential_is_read_again_once(connection: Connection, kubelet: Kubelet, write: Write) -> None:
    kubelet.statuses = [401]
    kubelet.then = lambda: write("new") and None
    forward(connection)
    assert kubelet.tokens == ["Bearer old", "Bearer new"]
    kubelet.statuses = [401, 401]
    with pytest.raises(ConnectionFailed, match="401"):
        forward(connection)


def test_a_stream_goes_the_way_of_requests(kubelet: Kubelet, write: Write) -> None:
    asking = LocalProxy(password="user:secret")
    cluster = {"proxy-url": f"http://user:secret@127.0.0.1:{asking.port}", "tls-server-name": "internal.test"}
    path = write(server=f"https://cluster.test:{kubelet.port}", **cluster)
    with closing(asking), Connection({"kubeconfig": path}) as connection:
        forward(connection)
    assert asking.asked[0][0] == f"CONNECT cluster.test:{kubelet.port}"
    assert kubelet.names == ["internal.test"]
    asked, headers = kubelet.asked[0]
    assert asked == "/api/v1/namespaces/n/pods/p/portforward?ports=8080"
    assert (headers["authorization"], headers["impersonate-user"]) == ("Bearer old", "eve")
    assert headers["host"] == f"cluster.test:{kubelet.port}"


def test_a_redirect_is_not_followed(connection: Connection, kubelet: Kubelet) -> None:
    kubelet.statuses = [302]
    with pytest.raises(ApiError, match="302"):
        forward(connection)
    assert len(kubelet.asked) == 1


def test_http_over_a_forwarded_port(connection: Connection, kubelet: Kubelet) -> None:
    # More than http.client reads ahead, which closes the socket before it reads the answer
    pieces = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-", b"Length: 40000\r\n\r\n", *[b"x" * 10000] * 4]
    kubelet.messages = [*PORTS, None, *(b"\0" + piece for piece in pieces)]
    with forwarded_port(connection, POD, 8080, 5) as connected:
        answer = send_request(connected, "GET", "/health")
    assert (answer.status, answer.body) == (200, "x" * 40000)
