# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to a Dispatcher, signed as Slack signs them, without any code of the stand-in."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body of a response."""

    status: int
    headers: dict[str, str]
    body: str


def request(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Send one request; an answer of any status is returned."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=20)
    try:
        connection.request(method, parts.path.rstrip("/") + path, body, headers or {})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read().decode())
    finally:
        connection.close()


def signature_headers(secret: str, body: bytes, timestamp: object = None) -> dict[str, str]:
    """Return the two headers of Slack for a body; `timestamp` (seconds) is now unless given."""
    timestamp = str(int(time.time()) if timestamp is None else timestamp)
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass(frozen=True)
class SlackSender:
    """Sends what Slack sends to a Dispatcher at `url`."""

    url: str
    secret: str

    def event(self, payload: object, **changes: object) -> Answer:
        """Post an event; text goes out as it is, anything else as JSON. For `changes` see _post()."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return self._post("/slack/events", text.encode(), "application/json", **changes)

    def interaction(self, payload: object, **changes: object) -> Answer:
        """Post an interaction; text goes out as the whole body, anything else as JSON in the field `payload`."""
        text = payload if isinstance(payload, str) else urlencode({"payload": json.dumps(payload)})
        return self._post("/slack/interact", text.encode(), "application/x-www-form-urlencoded", **changes)

    def _post(
        self, path: str, body: bytes, content_type: str, timestamp: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Post a body, signed at `timestamp` (default: now), or with the given headers in place of a signature."""
        signed = signature_headers(self.secret, body, timestamp) if headers is None else headers
        return request(self.url, "POST", path, body, {"Content-Type": content_type} | signed)
