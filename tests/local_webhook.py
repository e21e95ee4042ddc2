# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: a webhook on loopback, whose URL has a marked part that nobody may show."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARKED = "T0MARKED/secret-of-the-hook"


class Webhook(ThreadingHTTPServer):
    """A webhook that notes what it gets, and answers with ``status``; a ``drip`` one sends a byte now and then."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, str, Any]] = []
        self.status = 200
        self.drip = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/{MARKED}"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, self.headers["Content-Type"], body))
        if self.server.drip.is_set():
            while self.server.drip.wait(0.05) and self.server.drip.is_set():
                self.wfile.write(b"H")  # never the end of a line
                time.sleep(0.05)
            return
        self.send_response(self.server.status)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    """Run one; a slow answer ends with the context."""
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.drip.clear()
        server.shutdown()
        server.server_close()
