# SPDX-License-Identifier: GPL-3.0-or-later
"""The public address is asked as Slack asks: over TLS that is trusted, at the path of events, signed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.public_address import check_public
from certificate_authority import issue
from cryptography import x509

CHECKS = ("public_challenge", "public_signature")
SECRET = "MARKED-signing-secret"


class Dispatcher(BaseHTTPRequestHandler):
    """Answers as the app does, at /slack/events only. With an empty secret it checks no signature."""

    secret = SECRET

    def do_POST(self) -> None:  # noqa: N802  the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        base = f"v0:{self.headers['X-Slack-Request-Timestamp']}:".encode() + body
        signature = "v0=" + hmac.new(self.secret.encode(), base, hashlib.sha256).hexdigest()
        status = 200 if self.path == "/slack/events" else 404
        if status == 200 and self.secret and signature != self.headers["X-Slack-Signature"]:
            status = 401
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.wfile.write(json.dumps({"challenge": json.loads(body)["challenge"]}).encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the file with the authority that it is trusted by."""
    directory = tmp_path_factory.mktemp("authority")
    root = issue("root", now=datetime.now(UTC))
    server = issue("server", root, (x509.IPAddress(ipaddress.ip_address("127.0.0.1")),), now=datetime.now(UTC))
    (directory / "server.pem").write_text(server.pem + server.key_pem())
    (directory / "ca.pem").write_text(root.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Dispatcher)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{listener.server_port}", directory / "ca.pem"
    listener.shutdown()
    listener.server_close()


def ask(url: str, ca_file: Path | str = "", secret: str = SECRET) -> dict[str, Any]:
    return {outcome.check: outcome for outcome in check_public(CHECKS, url, str(ca_file), secret, timeout=0)}


def test_a_right_answer(authority: tuple[str, Path]) -> None:
    found = ask(*authority)
    assert [found[check].result for check in CHECKS] == ["ok", "ok"]
    assert f"{authority[0]}/slack/events: 200" in found["public_challenge"].evidence


def test_without_an_address_or_a_secret_it_is_not_checked(authority: tuple[str, Path]) -> None:
    assert {outcome.result for outcome in ask("").values()} == {"not checked"}
    found = ask(*authority, secret="")
    assert [found[check].result for check in CHECKS] == ["not checked", "ok"]


def test_an_authority_that_slack_does_not_know(authority: tuple[str, Path]) -> None:
    found = ask(authority[0])["public_challenge"]
    assert found.result == "failed"
    assert "Slack trusts public authorities only" in found.hint


def test_another_signing_secret_and_one_that_is_not_checked(
    authority: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "another signing secret" in ask(*authority, secret="other")["public_challenge"].hint
    monkeypatch.setattr(Dispatcher, "secret", "")
    found = ask(*authority)
    assert found["public_signature"].result == "failed"
    assert "Anybody can start Jobs" in found["public_signature"].hint
    assert "MARKED" not in str(found)


def test_no_route_and_nobody_there(authority: tuple[str, Path]) -> None:
    assert "No route lets the path in" in ask(f"{authority[0]}/elsewhere", authority[1])["public_challenge"].hint
    assert "DNS entry" in ask("https://127.0.0.1:1", authority[1])["public_challenge"].hint
