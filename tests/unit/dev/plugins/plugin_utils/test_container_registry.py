# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registry an image comes from, and whether it answers, in bounded time."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_registry


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("kindest/node:v1.37.0@sha256:0a", "registry-1.docker.io"),
        ("docker.io/kindest/node:v1.37.0", "registry-1.docker.io"),
        ("redis", "registry-1.docker.io"),
        ("registry.example.com/kind/node:v1", "registry.example.com"),
        ("mirror:5000/node", "mirror:5000"),
        ("localhost/node:v1", "localhost"),
    ],
)
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert container_registry.registry_of(image) == host


@contextmanager
def registry_that_answers(status: int) -> Iterator[str]:
    """A registry on this machine. Yields the name of an image in it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/v2/" else 500)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/node:v1"
        server.shutdown()


@pytest.mark.parametrize(("status", "answers"), [(200, True), (401, True), (404, False), (502, False)])
def test_a_registry_answers_with_its_api(status: int, answers: bool) -> None:
    with registry_that_answers(status) as image:
        assert container_registry.answers(image, scheme="http") is answers


def test_a_name_that_does_not_exist_costs_less_than_a_second() -> None:
    started = time.monotonic()
    assert not container_registry.answers("registry.invalid/node:v1")
    assert time.monotonic() - started < 1


def test_a_server_that_stays_silent_costs_no_more_than_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not container_registry.answers(
            f"127.0.0.1:{silent.getsockname()[1]}/node:v1", scheme="http", timeout=0.2
        )
        assert time.monotonic() - started < 5


def test_a_name_server_that_stays_silent_costs_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: released.wait(10) and [])
    started = time.monotonic()
    assert not container_registry.answers("registry.example.com/node:v1", timeout=0.2)
    assert time.monotonic() - started < 5
    released.set()
