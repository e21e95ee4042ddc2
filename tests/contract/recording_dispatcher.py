# SPDX-License-Identifier: GPL-3.0-or-later
"""A Dispatcher that does nothing but keep what the stand-in Slack sends it."""

from __future__ import annotations

import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

from dispatcher_under_test import SIGNING_SECRET
from slack_request import signature_headers


class RecordingDispatcher:
    """Answers every request with `status`, and has it in `requests`."""

    def __init__(self) -> None:
        self.requests: SimpleQueue[tuple[str, dict[str, str], bytes]] = SimpleQueue()
        self.status = 200
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.requests.put((self.path, dict(self.headers), body))
                self.send_response(recorder.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def next_request(self) -> tuple[str, bytes]:
        """Return path and body of the next request, whose signature has to be right."""
        path, headers, body = self.requests.get(timeout=20)
        signed = signature_headers(SIGNING_SECRET, body, headers["X-Slack-Request-Timestamp"])
        assert hmac.compare_digest(headers["X-Slack-Signature"], signed["X-Slack-Signature"])
        return path, body
