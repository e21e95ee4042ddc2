# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: an HTTP proxy on loopback that passes requests on to an API server and spoils some of them."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from control_plane import ControlPlane

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass
class Fault:
    """What happens to the first *times* requests of *method* whose path contains *path*.

    ``status`` answers with that code instead of passing the request on; ``drop`` cuts the connection, `before` the
    request reaches the API server or `after` it has been carried out. ``hook`` runs first.
    """

    method: str = "PATCH"
    path: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    drop: str = ""
    times: int = 1
    hook: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Seen:
    """A request that reached the proxy."""

    method: str
    path: str
    token: str


class FaultProxy:
    """The proxy's address, the faults to come and the requests that were seen."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self.url = ""
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def take(self, seen: Seen) -> Fault | None:
        """Note a request, and return the fault that it is to suffer."""
        with self._lock:
            self.seen.append(seen)
            for fault in self.faults:
                if fault.times and fault.method == seen.method and fault.path in seen.path:
                    fault.times -= 1
                    return fault
        return None

    def count(self, method: str) -> int:
        """Return how many requests of a method were seen."""
        return sum(seen.method == method for seen in self.seen)


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    upstream = urlsplit(proxy.control_plane.url)
    context = ssl.create_default_context(cafile=str(proxy.control_plane.ca_file))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            fault = proxy.take(Seen(self.command, self.path, token))
            if fault:
                fault.hook()
            if fault and fault.drop == "before":
                self._cut()
            elif fault and fault.status:
                text = json.dumps({"kind": "Status", "status": "Failure", "code": fault.status, "message": "spoilt"})
                self._answer(fault.status, {"Content-Type": "application/json", **fault.headers}, text.encode())
            else:
                status, headers, data = self._forward(body)
                if fault and fault.drop == "after":
                    self._cut()
                else:
                    self._answer(status, headers, data)

        do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _serve

        def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPSConnection(upstream.hostname or "", upstream.port, context=context)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            try:
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                connection.close()

        def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: pytest shows what was seen."""

    return Handler


@contextmanager
def running_fault_proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """Run a proxy before *control_plane* for as long as the context lasts."""
    proxy = FaultProxy(control_plane)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
