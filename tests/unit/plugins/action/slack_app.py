# SPDX-License-Identifier: GPL-3.0-or-later
"""An app's request URLs on loopback: checks signatures by Slack's document, and remembers what it was sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET = "MARKED-signing-secret-\N{SNOWMAN}"


class SlackApp:
    """`received` has the decoded body of every request that was signed."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.hold = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                status, answer = self._answer(handler, body)
                handler.send_response(status)
                if status == 302:
                    handler.send_header("Location", "/slack/events")
                handler.end_headers()
                handler.wfile.write(answer)

            def log_message(handler, *_arguments: object) -> None:  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        if handler.path == "/redirect":
            return 302, b""
        if handler.path == "/late":
            self.hold.wait(30)
            return 200, b""
        if handler.path == "/echo":
            return 500, f"the secret is {SECRET}".encode()
        timestamp = handler.headers["X-Slack-Request-Timestamp"]
        base = b"v0:" + timestamp.encode() + b":" + body
        signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        if signature != handler.headers["X-Slack-Signature"] or abs(time.time() - int(timestamp)) > 300:
            return 401, b""
        if handler.headers["Content-Type"] == "application/x-www-form-urlencoded":
            content = json.loads(parse_qs(body.decode(), strict_parsing=True)["payload"][0])
        else:
            content = json.loads(body)
        self.received.append(content)
        answer = {"challenge": content["challenge"]} if content["type"] == "url_verification" else {}
        return 200, json.dumps(answer).encode()


@contextmanager
def running_slack_app() -> Iterator[SlackApp]:
    """Serve for as long as the context lasts."""
    app = SlackApp()
    thread = threading.Thread(target=app.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield app
    finally:
        app.hold.set()
        app.server.shutdown()
        app.server.server_close()
        thread.join()
