# SPDX-License-Identifier: GPL-3.0-or-later
"""A Dispatcher that does nothing but keep what the stand-in Slack sends it."""

from __future__ import annotations

import hmac
from queue import SimpleQueue

from dispatcher_under_test import SIGNING_SECRET
from local_http_server import LocalHttpServer, Request, Response
from slack_request import signature_headers


class RecordingDispatcher:
    """Answers every request with `status` and `body`, and has it in `requests`."""

    def __init__(self) -> None:
        self.requests: SimpleQueue[Request] = SimpleQueue()
        self.status = 200
        self.body = b""
        self._server = LocalHttpServer(self._respond)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def next_request(self) -> tuple[str, bytes]:
        """Return path and body of the next request, whose signature has to be right."""
        request = self.requests.get(timeout=20)
        signed = signature_headers(SIGNING_SECRET, request.body, request.headers["X-Slack-Request-Timestamp"])
        assert hmac.compare_digest(request.headers["X-Slack-Signature"], signed["X-Slack-Signature"])
        return request.path, request.body

    def _respond(self, request: Request) -> Response:
        self.requests.put(request)
        return Response(self.status, self.body, {"Content-Type": "text/html; charset=utf-8"})
