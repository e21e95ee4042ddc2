# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: an HTTP proxy on loopback that passes requests on to an API server and spoils some of them."""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import urllib3
from control_plane import ControlPlane

# As this collection asks, and as clients in Go do
WATCH = re.compile(r"[?&]watch=(1|true)\b")
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Seen:
    """A request that reached the proxy."""

    method: str
    path: str
    token: str
    body: bytes = b""


@dataclass
class Fault:
    """What happens to the first *times* requests of *method* whose path contains *path*, after *skip* others.

    ``method`` and ``token`` are those of all requests when they are empty; `PATCH` means writes, and no dry run.
    ``status`` answers with that code instead of passing the request on; ``drop`` cuts the connection, `before` the
    request reaches the API server, `after` it has been carried out, or `amid` the answer. ``delay`` is in seconds.
    ``away``: nobody listens for as many seconds.
    ``hook`` runs first.
    """

    method: str = "PATCH"
    path: str = ""
    token: str = ""
    skip: int = 0
    status: int = 0
    reason: str = ""
    delay: float = 0.0
    away: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    drop: str = ""
    times: int = 1
    hook: Callable[[], None] = lambda: None

    def meets(self, seen: Seen) -> bool:
        """Tell whether the fault is meant for a request."""
        if self.method == "PATCH" and "dryRun=" in seen.path:
            return False
        return self.method in ("", seen.method) and self.path in seen.path and self.token in ("", seen.token)


class FaultProxy:
    """The proxy's address, the faults to come and the requests that were seen."""

    def __init__(self, control_plane: ControlPlane, tls: bool = False) -> None:
        self.control_plane = control_plane
        self.tls = tls
        self.url = ""
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.is_away = False
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def listen(self) -> None:
        """Serve on the port that the proxy has, or gets now."""
        port = urlsplit(self.url).port or 0
        self._server = _Server(("127.0.0.1", port), _handler(self))
        if self.tls:
            certificate = self.control_plane.ca_file
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            # The handshake is the business of each connection's thread.
            self._server.socket = context.wrap_socket(self._server.socket, True, do_handshake_on_connect=False)
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving: the port refuses connections."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()

    def go_away(self, seconds: float) -> None:
        """Cut what is connected and refuse connections for a while."""
        with self._lock:
            if self.is_away:
                return
            self.is_away = True
        self.close()
        timer = threading.Timer(seconds, self._come_back)
        timer.daemon = True
        timer.start()

    def _come_back(self) -> None:
        self.is_away = False
        self.listen()

    def take(self, seen: Seen) -> Fault | None:
        """Note a request, and return the fault that it is to suffer."""
        with self._lock:
            self.seen.append(seen)
            for fault in self.faults:
                if fault.times and fault.meets(seen):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def count(self, method: str) -> int:
        """Return how many requests of a method were seen."""
        return sum(seen.method == method for seen in self.seen)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone: tests kill some."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            fault = proxy.take(Seen(self.command, self.path, token, body))
            if fault:
                fault.hook()
                time.sleep(fault.delay)
            if fault and fault.away:
                proxy.go_away(fault.away)
            if proxy.is_away or (fault and fault.drop == "before"):
                self._cut()
            elif fault and fault.status:
                answer = {"kind": "Status", "status": "Failure", "code": fault.status, "message": "spoilt"}
                text = json.dumps({**answer, "reason": fault.reason})
                self._answer(fault.status, {"Content-Type": "application/json", **fault.headers}, text.encode())
            elif WATCH.search(self.path) and not (fault and fault.drop):
                self._pass_on()
            else:
                status, headers, data = self._forward(body)
                if fault and fault.drop == "after":
                    self._cut()
                elif fault and fault.drop == "amid":
                    self._answer(status, headers, data, sent=len(data) // 2)
                    self._cut()
                else:
                    self._answer(status, headers, data)

        do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _serve

        def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            answer = self._ask(body)
            return answer.status, dict(answer.headers), answer.data

        def _ask(self, body: bytes, preload: bool = True) -> Any:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            return proxy.control_plane.connections.urlopen(
                self.command,
                self.path,
                body or None,
                headers,
                timeout=None,
                redirect=False,
                decode_content=False,
                preload_content=preload,
            )

        def _pass_on(self) -> None:
            """Answer part by part, as the API server tells of changes, until one of the two has enough."""
            answer = self._ask(b"", preload=False)
            self.close_connection = True
            with closing(answer), suppress(OSError, urllib3.exceptions.HTTPError):
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in answer.stream():
                    if proxy.is_away:
                        return
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        def _answer(self, status: int, headers: dict[str, str], data: bytes, sent: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:sent])
            self.wfile.flush()

        def _cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: pytest shows what was seen."""

    return Handler


@contextmanager
def running_fault_proxy(control_plane: ControlPlane, tls: bool = False) -> Iterator[FaultProxy]:
    """Run a proxy before *control_plane* for as long as the context lasts.

    :param tls: whether it serves HTTPS, with the certificate of the API server. kubectl sends no token without.
    """
    proxy = FaultProxy(control_plane, tls)
    proxy.listen()
    try:
        yield proxy
    finally:
        proxy.close()
