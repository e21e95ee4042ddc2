# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests from this machine to the way in, by the ports that lead there and under the name that the cluster has."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass

from cryptography import x509
from slack_request import Answer, signature_headers

CHALLENGE = {"type": "url_verification", "challenge": "a-challenge"}


@dataclass(frozen=True)
class Outside:
    """Sends requests for `host` to a port of this machine: with TLS if there is a certificate to `trust`."""

    host: str
    port: int
    secret: str
    trust: str = ""

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.connect()
        if self.trust:
            context = ssl.create_default_context(cadata=self.trust)
            # A name of others is not in the certificate, and is asked for by the header alone
            connection.sock = context.wrap_socket(connection.sock, server_hostname=self.host)
        return connection

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, host: str = ""
    ) -> Answer:
        """Send one request over a connection of its own; an answer of any status is returned."""
        connection = self._connect()
        try:
            connection.request(method, path, body, {"Host": host or self.host, **(headers or {})})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read().decode())
        finally:
            connection.close()

    def event(
        self, payload: object = CHALLENGE, secret: str = "", path: str = "/slack/events", host: str = ""
    ) -> Answer:
        """Send an event as Slack does, signed with the release's secret or another."""
        body = json.dumps(payload).encode()
        headers = signature_headers(secret or self.secret, body) | {"Content-Type": "application/json"}
        return self.request("POST", path, body, headers, host)

    def certificate(self) -> x509.Certificate:
        """Return the certificate that is served."""
        connection = self._connect()
        try:
            return x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True))
        finally:
            connection.close()
