# SPDX-License-Identifier: GPL-3.0-or-later
"""A webhook gets the message in its own form. A dead, slow or wrong one costs a moment, and no text quotes its URL."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.webhook import BODIES, send
from local_servers import Authority, LocalProxy, closing
from local_webhook import MARKED, Webhook, running_webhook

LINES = ["deploy succeeded", "Reason: <!channel> a & b"]
DETAILS = {"target": "prod", "namespace": "here", "entry": {"revision": 7}}
SHORT = 0.5  # seconds


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as server:
        yield server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        for variable in (name, name.lower()):
            monkeypatch.delenv(variable, raising=False)


def test_slack_gets_text_without_a_mention_or_a_link(webhook: Webhook) -> None:
    assert send(webhook.url, "slack", LINES, DETAILS) == ""
    text = "deploy succeeded\nReason: &lt;!channel&gt; a &amp; b"
    assert webhook.got == [(f"/{MARKED}", "application/json", {"text": text})]


def test_teams_gets_a_card_of_plain_text(webhook: Webhook) -> None:
    assert send(webhook.url, "msteams", LINES, DETAILS) == ""
    (attachment,) = webhook.got[0][2]["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    shown = [block["inlines"][0]["text"] for block in attachment["content"]["body"]]
    assert shown == LINES


def test_others_get_the_entry_too(webhook: Webhook) -> None:
    assert send(webhook.url, "generic", LINES, DETAILS) == ""
    assert webhook.got[0][2] == {"text": "\n".join(LINES), **DETAILS}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_told_by_its_status_and_a_redirect_is_not_followed(
    webhook: Webhook, status: int
) -> None:
    webhook.status = status
    fault = send(webhook.url, "slack", LINES, DETAILS)
    assert fault.endswith(f"got no message: it answered with HTTP status {status}.")
    assert len(webhook.got) == 1 and MARKED not in fault


def test_a_webhook_that_is_not_there_is_told_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    fault = send(f"http://127.0.0.1:{port}/{MARKED}", "slack", LINES, DETAILS)
    assert "Connection refused" in fault and MARKED not in fault


@pytest.mark.parametrize("answers", ["never", "byte by byte"])
def test_a_slow_webhook_costs_no_more_than_the_time_that_it_has(webhook: Webhook, answers: str) -> None:
    started = time.monotonic()
    if answers == "never":
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/{MARKED}"
            fault = send(url, "slack", LINES, DETAILS, timeout=SHORT)
    else:
        webhook.drip.set()
        fault = send(webhook.url, "slack", LINES, DETAILS, timeout=SHORT)
    assert "no answer" in fault and MARKED not in fault
    assert time.monotonic() - started < SHORT * 4


def test_a_name_that_nobody_resolves_in_time_costs_no_more_either(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: asked.wait(10) and [])
    started = time.monotonic()
    assert "no answer within 0.5 s" in send(
        f"http://hooks.example.com/{MARKED}", "slack", LINES, DETAILS, timeout=SHORT
    )
    assert time.monotonic() - started < SHORT * 4
    asked.set()


@pytest.mark.parametrize(
    "url",
    [
        f"hooks.example.com/{MARKED}",
        f"ftp://hooks.example.com/{MARKED}",
        f"https:///{MARKED}",
        f"https://[{MARKED}",
        "",
        None,
        17,
        {"url": MARKED},
    ],
)
def test_what_is_no_address_is_told_and_not_quoted(url: Any) -> None:
    fault = send(url, "slack", LINES, DETAILS)
    assert "agentsmith_webhook_url is not an http:// or https:// address" in fault and MARKED not in fault


@pytest.mark.parametrize("url", [f"http://127.0.0.1:1/{MARKED} x", f"http://127.0.0.1:99999/{MARKED}"])
def test_an_address_that_cannot_be_asked_is_not_quoted(url: str) -> None:
    fault = send(url, "slack", LINES, DETAILS)
    assert "got no message" in fault and "MARKED" not in fault


@pytest.mark.parametrize("kind", ["Slack", "", None, ["slack"], f"https://x/{MARKED}"])
def test_another_type_is_told_and_not_quoted(webhook: Webhook, kind: Any) -> None:
    fault = send(webhook.url, kind, LINES, DETAILS)
    assert fault == f"agentsmith_webhook_type is none of {', '.join(BODIES)}, so no message was sent."
    assert webhook.got == []


def test_a_proxy_is_used_unless_the_host_is_excepted(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_webhook() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
        assert send(webhook.url, "slack", LINES, DETAILS) == ""
        assert webhook.got == [] and proxy.got[0][0] == webhook.url
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert send(webhook.url, "slack", LINES, DETAILS) == ""
        assert len(webhook.got) == len(proxy.got) == 1


def test_an_address_over_tls_is_checked_and_goes_through_its_proxy(
    webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.sign("127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    webhook.socket = context.wrap_socket(webhook.socket, server_side=True)
    url = webhook.url.replace("http:", "https:")
    fault = send(url, "slack", LINES, DETAILS)
    assert "got no message" in fault and MARKED not in fault and webhook.got == []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    proxy = LocalProxy()
    with closing(proxy):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        assert send(url, "slack", LINES, DETAILS) == ""
    assert len(webhook.got) == 1 and proxy.asked
