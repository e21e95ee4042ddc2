# SPDX-License-Identifier: GPL-3.0-or-later
"""The public address is asked as Slack asks: over TLS that is trusted, at the path of events, signed."""

from __future__ import annotations

import gzip
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
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.public_probes import check_public
from certificate_authority import issue
from cryptography import x509

CHECKS = ("public_challenge", "public_signature")
SECRET = "MARKED-signing-secret"


class Dispatcher(BaseHTTPRequestHandler):
    """Answers as the app does, at /slack/events only. With an empty secret it checks no signature.

    `instead` answers everything: status, headers and body. `requests` counts.
    """

    secret = SECRET
    instead: tuple[int, dict[str, str], str] | None = None
    requests = 0

    def do_POST(self) -> None:  # noqa: N802  the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Dispatcher.requests += 1
        if self.instead:
            status, headers, text = self.instead
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode("latin-1"))
            return
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


def ask(url: str, ca_file: Path | str = "", secret: str = SECRET, timeout: float = 0) -> dict[str, Any]:
    return {outcome.check: outcome for outcome in check_public(CHECKS, url, str(ca_file), secret, timeout)}


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
    assert "The signing secret of the Dispatcher differs" in ask(*authority, secret="other")["public_challenge"].hint
    monkeypatch.setattr(Dispatcher, "secret", "")
    found = ask(*authority)
    assert found["public_signature"].result == "failed"
    assert "Anybody can start Jobs" in found["public_signature"].hint
    assert "MARKED" not in str(found)


def test_no_route_and_nobody_there(authority: tuple[str, Path]) -> None:
    assert "No route admits the path" in ask(f"{authority[0]}/elsewhere", authority[1])["public_challenge"].hint
    nobody = ask("https://127.0.0.1:1", authority[1])["public_challenge"].hint
    assert "DNS entry" in nobody
    assert "dispatcher_network_policy_from lets in" in nobody


# Bytes, one a character
COMPRESSED = gzip.compress(b"MARKED" * 1000).decode("latin-1")
PAGE = "<html><title>502 Bad Gateway</title>MARKED</html>"


@pytest.mark.parametrize(
    ("instead", "result", "hint", "evidence"),
    [
        ((200, {}, ""), "failed", "answers everything with an empty 200", "200 in"),
        (
            (200, {}, ""),
            "failed",
            "If the check `challenge` is ok, something in front of the Dispatcher",
            "an empty body",
        ),
        ((500, {}, ""), "failed", "Read its log", "500 in"),
        ((200, {"Content-Type": "text/html"}, PAGE), "failed", "Something else answers", "502 Bad Gateway"),
        ((403, {"Content-Type": "text/html"}, PAGE), "failed", "Something else answers", "text/html"),
        ((502, {"Content-Type": "text/html"}, PAGE), "failed", "No route admits the path", '"502 Bad Gateway"'),
        ((504, {}, ""), "failed", "dispatcher_network_policy_from lets in", "504 in"),
        ((302, {"Location": "https://sso.example.com/?MARKED"}, ""), "failed", "a login page", "sso.example.com"),
        ((200, {"Content-Type": "application/json"}, '{"MARKED": 1}'), "failed", "Something else answers", "json"),
        ((401, {"WWW-Authenticate": "Basic"}, ""), "not checked", "Something else answers", "401 in"),
        ((200, {"Content-Encoding": "gzip"}, PAGE), "failed", "what is in front of it", "gzip"),
        (
            (200, {"Content-Encoding": "gzip"}, COMPRESSED[:20]),
            "failed",
            "what is in front of it",
            "Compressed file ended",
        ),
        (
            (200, {"Content-Encoding": "gzip"}, COMPRESSED[:12] + "\xff" * 20),
            "failed",
            "what is in front of it",
            "decompress",
        ),
        ((302, {"Location": "https://[MARKED"}, ""), "failed", "what is in front of it", "slack/events: "),
    ],
)
def test_what_answers_instead(
    authority: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    instead: tuple[int, dict[str, str], str],
    result: str,
    hint: str,
    evidence: str,
) -> None:
    monkeypatch.setattr(Dispatcher, "instead", instead)
    found = ask(*authority)
    assert [found[check].result for check in CHECKS] == ["failed", result]
    for check in CHECKS:
        assert hint in found[check].hint
        assert evidence in found[check].evidence
    assert "MARKED" not in str(found)


@pytest.mark.parametrize("instead", [None, (200, {}, ""), (500, {}, "")])
def test_what_the_dispatcher_itself_answers_is_final(
    authority: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, instead: tuple[int, dict[str, str], str] | None
) -> None:
    monkeypatch.setattr(Dispatcher, "requests", 0)
    monkeypatch.setattr(Dispatcher, "instead", instead)
    ask(*authority, secret="other", timeout=60)  # without an `instead` that is a 401
    assert Dispatcher.requests == 2


def test_a_page_in_front_is_waited_for_until_the_dispatcher_answers(
    authority: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dispatcher, "instead", (503, {}, "starting"))
    timer = threading.Timer(1.0, setattr, (Dispatcher, "instead", None))
    timer.start()
    found = ask(*authority, timeout=60)
    timer.join()
    assert [found[check].result for check in CHECKS] == ["ok", "ok"]
