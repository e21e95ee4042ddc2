# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a connection: what it reads, and what it leaves behind."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions import cluster_action
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.cluster_action import ClusterAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import connection as connection_module
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.credentials import Credentials
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.discovery import Discovery
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.retry import FIRST_CONTACT_PERIOD, OUTAGE_PERIOD
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import (
    ApiError,
    ConnectionFailed,
    TimeIsUp,
)
from certificate_authority import issue
from local_servers import Answer, Authority, LocalServer, closing
from test_retry import Clock


@pytest.fixture(autouse=True)
def no_connection_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from whatever the environment points to."""
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "KUBE")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority."""
    return Authority(tmp_path, "authority")


@pytest.fixture
def server(authority: Authority) -> Iterator[LocalServer]:
    """A server that answers as an API server does."""
    running = LocalServer("server", authority.sign("server", "127.0.0.1"), authority.file)
    with closing(running):
        yield running


Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, authority: Authority, server: LocalServer) -> Write:
    """Write a kubeconfig and return its path: `write(user, cluster)`, which has fields beside those for `server`."""

    def call(user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
        entry = {"server": f"https://127.0.0.1:{server.port}", "certificate-authority-data": authority.data}
        content: dict[str, Any] = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {**entry, **(cluster or {})}}],
            "users": [{"name": "c", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return call


def failure(options: dict[str, Any], path: str = "/version", **settings: Any) -> str:
    """Return the message of a request that fails."""
    with pytest.raises(ConnectionFailed) as caught, Connection(options, **settings) as connection:
        connection.get(path)
    return str(caught.value)


def test_keys_are_in_a_file_only_while_they_are_read(write: Write, authority: Authority, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    certificate, key = (base64.b64encode(path.read_bytes()).decode() for path in authority.sign("alice"))
    path = write({"client-certificate-data": certificate, "client-key-data": key})
    with Connection({"kubeconfig": path}, scratch_directory=str(scratch)) as connection:
        assert connection.get("/version").status == 200
        assert list(scratch.iterdir()) == []
    broken = base64.b64encode(b"MARKED").decode()
    path = write({"client-certificate-data": broken, "client-key-data": broken})
    message = failure({"kubeconfig": path}, scratch_directory=str(scratch))
    assert "The client certificate and key of context c cannot be used" in message
    assert "MARKED" not in message
    assert list(scratch.iterdir()) == []


def test_a_key_with_a_password_is_not_asked_for_it(write: Write) -> None:
    issued = issue("alice")
    pair = (issued.pem.encode(), issued.key_pem(b"secret").encode())
    certificate, key = (base64.b64encode(text).decode() for text in pair)
    path = write({"client-certificate-data": certificate, "client-key-data": key})
    assert "the key has a password" in failure({"kubeconfig": path})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}), "it answered 200 with a web page"),
        (Answer(200, b"<!DOCTYPE html><HTML>", {"Content-Type": "text/plain"}), "it answered 200 with a web page"),
        (Answer(200, b"hello"), "it answered 200 with what is no object of Kubernetes"),
        (Answer(200, b"[1]"), "it answered 200 with what is no object of Kubernetes"),
        (Answer(200, b""), "it answered 200 with what is no object of Kubernetes"),
        (
            Answer(302, b"", {"Location": "https://login.test/start?code=MARKED"}),
            "it redirects to https://login.test/start (302)",
        ),
        (Answer(307, b"", {"Location": "/login"}), "it redirects (307)"),
    ],
)
def test_what_is_no_api_server(write: Write, server: LocalServer, answer: Answer, words: str) -> None:
    server.answer = answer
    message = failure({"kubeconfig": write({"token": "t"})})
    assert f"https://127.0.0.1:{server.port} (context c) is no API server of Kubernetes: {words}" in message
    assert "MARKED" not in message
    assert len(server.asked) == 1  # and nobody was asked elsewhere


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_web_page_is_not_quoted(write: Write, server: LocalServer, status: int) -> None:
    server.answer = Answer(status, b"<html><body>Sorry</body></html>", {"Content-Type": "text/html"})
    with Connection({"kubeconfig": write({"token": "t"})}) as connection, pytest.raises(ApiError) as caught:
        connection.request("GET", "/version", repeat=False)
    assert str(caught.value).endswith(f"(context c) answered {status} with a web page")


def test_a_socks_proxy_needs_a_package(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3.contrib.socks", None)
    message = failure({"kubeconfig": write({"token": "t"}, {"proxy-url": "socks5://u:MARKED@proxy.test"})})
    assert (
        "The proxy socks5://proxy.test:1080 (from proxy-url of context c) needs the Python package PySocks" in message
    )
    assert "MARKED" not in message


def test_a_file_name_that_is_none(write: Write) -> None:
    assert "it is no path" in failure({"kubeconfig": write({"tokenFile": "a\0b"})})


def test_an_object_without_a_version_is_no_api_server(write: Write, server: LocalServer) -> None:
    server.answer = Answer(200, b'{"status": "up"}')
    with (
        Connection({"kubeconfig": write({"token": "t"})}) as connection,
        ThreadPoolExecutor(3) as executor,
        pytest.raises(ConnectionFailed, match="is no API server of Kubernetes: it states no version"),
    ):
        Discovery.ask(connection, executor, [])


def test_credentials_are_read_again_when_they_expire(write: Write, server: LocalServer, tmp_path: Path) -> None:
    command = tmp_path / "plugin"
    status = '{"token": "\'$(wc -l < "$0.runs" | tr -d " ")\'", "expirationTimestamp": "2020-01-01T00:00:00Z"}'
    version = "client.authentication.k8s.io/v1"
    answer = f'{{"kind": "ExecCredential", "apiVersion": "{version}", "status": {status}}}'
    command.write_text(f"#!/bin/sh\necho run >> \"$0.runs\"\necho '{answer}'\n", encoding="utf-8")
    command.chmod(0o755)
    user = {"exec": {"apiVersion": version, "command": str(command), "interactiveMode": "Never"}}
    with Connection({"kubeconfig": write(user)}) as connection:
        connection.get("/version")
        connection.get("/version")
    assert [asked.authorization for asked in server.asked] == ["Bearer 2", "Bearer 3"]


def test_a_kubeconfig_that_changes_does_not_lead_elsewhere(write: Write, server: LocalServer) -> None:
    server.answer = Answer(401, b"{}")
    path = write({"token": "t"})
    with Connection({"kubeconfig": path}) as connection:
        write({"token": "t"}, {"server": "https://127.0.0.1:1"})
        with pytest.raises(ConnectionFailed, match="was changed while the run used .*leads to https://127.0.0.1:1 "):
            connection.get("/version")


def test_a_server_that_refuses_the_client_certificate(write: Write, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    strict = LocalServer("strict", authority.sign("strict", "127.0.0.1"), authority.file)
    certificate, key = other.sign("mallory")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with closing(strict):
        message = failure({"kubeconfig": write(user, {"server": f"https://127.0.0.1:{strict.port}"})})
    assert "does not accept the client certificate" in message


def test_strictness_is_dropped_for_an_authority_of_the_kubeconfig_only(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Authority(tmp_path, "plain", plain=True)
    own = LocalServer("own", plain.sign("own", "127.0.0.1"))
    cluster = {"server": f"https://127.0.0.1:{own.port}", "certificate-authority-data": plain.data}
    with closing(own):
        with Connection({"kubeconfig": write({"token": "t"}, cluster)}) as connection:
            assert connection.get("/version").status == 200
        monkeypatch.setenv("SSL_CERT_FILE", str(plain.file))  # now an authority of the machine
        path = write({"token": "t"}, {**cluster, "certificate-authority-data": ""})
        strict = ssl.create_default_context().verify_flags & ssl.VERIFY_X509_STRICT
        if strict:
            assert "is not trusted" in failure({"kubeconfig": path})
        else:  # before Python 3.13
            with Connection({"kubeconfig": path}) as connection:
                assert connection.get("/version").status == 200


@pytest.mark.parametrize(
    ("in_contact", "given_up_after", "message"),
    [(False, FIRST_CONTACT_PERIOD, "does not answer"), (True, OUTAGE_PERIOD, "stopped answering")],
)
def test_contact_of_an_earlier_task_counts(in_contact: bool, given_up_after: float, message: str) -> None:
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.now += seconds

    nobody = {"host": "http://127.0.0.1:1", "api_key": "token"}
    with (
        pytest.raises(ConnectionFailed, match=message),
        Connection(nobody, clock=clock, sleep=sleep, in_contact=in_contact) as connection,
    ):
        connection.get("/version")
    assert clock.now - Clock().now == pytest.approx(given_up_after)


def test_slow_credentials_take_nothing_of_the_time_for_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def move(seconds: float) -> None:
        clock.now += seconds

    def read(*_arguments: Any) -> Credentials:
        move(50)
        return Credentials()

    monkeypatch.setattr(connection_module, "read_credentials", read)
    failure({"host": "http://127.0.0.1:1", "api_key": "token"}, clock=clock, sleep=move)
    assert clock.now - Clock().now == pytest.approx(50 + FIRST_CONTACT_PERIOD)


@pytest.mark.parametrize(("options", "expected"), [({}, False), ({"holder": ""}, False), ({"holder": "me"}, True)])
def test_a_task_that_goes_on_with_a_deploy_was_in_contact(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: bool
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(cluster_action, "Connection", lambda _options, **settings: made.append(settings["in_contact"]))
    ClusterAction.connection(Mock(), options)
    assert made == [expected]


@pytest.fixture
def trickling() -> Iterator[str]:
    """The address of a server that never ends its answer, and that no pause is long enough to call dead."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            accepted, _address = listener.accept()
            accepted.recv(65536)
            accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
            while not stop.wait(0.02):
                accepted.sendall(b" ")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    listener.close()
    thread.join()


def test_a_time_limit_ends_an_answer_that_trickles(trickling: str) -> None:
    started = time.monotonic()
    with Connection({"host": trickling, "api_key": "none"}, time_limit=0.5) as connection:
        with pytest.raises(TimeIsUp, match="the time for its answers is up"):
            connection.get("/version")
        with pytest.raises(TimeIsUp):
            connection.get("/version")
    assert time.monotonic() - started < 5, "no time limit of one wait is that short"


def test_a_time_limit_ends_the_pauses_of_an_outage(server: LocalServer, write: Write) -> None:
    started = time.monotonic()
    options = {"kubeconfig": write({"token": "none"})}
    with Connection(options, time_limit=0.5, in_contact=True) as connection:
        server.answer = Answer(503, b"{}")
        with pytest.raises(TimeIsUp):
            connection.get("/version")
    assert time.monotonic() - started < 5, "an outage is waited for longer"
