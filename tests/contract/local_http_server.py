# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP/1.1 server in threads of the test, for the services that a build under test calls."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """A request whose body has arrived; names in `headers` are looked up in any case."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Response:
    """What is sent back; the length is added to the headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, node: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with an object as JSON, in the form of GitHub, OpenAI and Kubernetes."""
    return Response(
        status, json.dumps(node).encode(), {"Content-Type": "application/json; charset=utf-8"} | (headers or {})
    )


class LocalHttpServer:
    """Serves on a port of its choice of 127.0.0.1 until close(), every connection in a thread of its own."""

    def __init__(self, respond: Callable[[Request], Response], tls: ssl.SSLContext | None = None) -> None:
        """`respond` is called in many threads at once; `tls` makes it HTTPS."""
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"respond": staticmethod(respond)}))
        if tls is not None:
            # A handshake in the loop that accepts connections would make all of them wait for the slowest client.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    @property
    def port(self) -> int:
        """The port of 127.0.0.1."""
        return self._server.server_address[1]

    def close(self) -> None:
        """Stop listening, and end every connection: a client may keep one open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """A client that goes away, or refuses the certificate, is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    respond: ClassVar[Callable[[Request], Response]]

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parts.query, self.headers, self._body())
        response = self.respond(request)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        # As git sends a push that does not fit into one buffer, and libgit2 every push.
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            """Trailers, which nobody reads."""
        return body

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""
