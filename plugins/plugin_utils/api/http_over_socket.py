# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request over a socket that is connected already."""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST_BODY = 64 * 1024  # bytes of an answer that are read


class WrongAnswer(OSError):
    """Somebody answered with what is no HTTP."""


@dataclass(frozen=True)
class Answer:
    """Status, body as text, the seconds from the first byte sent to the last one read, and headers in lower case."""

    status: int
    body: str
    elapsed: float
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Those of the JSON object in the body; none if it is something else, or too deep to be read."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}


def send_request(
    connected: socket.socket,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST_BODY,
) -> Answer:
    """Send one request and return its answer.

    :param largest: bytes of the answer's body that are read; the rest is left.
    :raises OSError: ConnectionError when the connection breaks, TimeoutError after the socket's timeout, WrongAnswer
        when the answer is no HTTP.
    """
    connection = http.client.HTTPConnection("localhost")
    connection.sock = connected
    started = time.monotonic()
    try:
        connection.request(method, path, body, {"Connection": "close", **(headers or {})})
        response = connection.getresponse()
        content = response.read(largest)
        if response.length and len(content) < largest:
            raise http.client.IncompleteRead(content, response.length)
    except (http.client.IncompleteRead, http.client.RemoteDisconnected):
        raise ConnectionError("the connection was closed before the end of the answer") from None
    except http.client.HTTPException as error:
        raise WrongAnswer(f"the answer is not HTTP ({type(error).__name__})") from None
    headers = {name.lower(): value for name, value in response.getheaders()}
    text = content.decode("utf-8", "replace")
    return Answer(response.status, text, time.monotonic() - started, headers)
