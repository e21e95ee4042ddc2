# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a way into a pod while the API server is passingly away, with a call that the test answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import pod_stream
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import ContainerOf, StreamFailed
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.retry import FIRST_CONTACT_PERIOD
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import (
    ApiError,
    ApplyError,
    ConnectionFailed,
)
from kubernetes.client.rest import ApiException

POD = ContainerOf("n", "p", "c")
DROPPED = "Connection to remote host was lost."


def answered(status: int, message: str = "") -> str:
    """Return the words of the library for a handshake that was answered."""
    body = json.dumps({"kind": "Status", "message": message}, separators=(",", ":"))
    return f"Handshake status {status} Reason -+-+- {{'retry-after': '1'}} -+-+- b'{body}'"


class Calls:
    """Stands in for the call of the library: fails by one reason after another, then opens. Remembers the tokens."""

    def __init__(self, *reasons: str, then: Callable[[], None] = lambda: None) -> None:
        self._reasons = list(reasons)
        self._then = then
        self.tokens: list[str] = []

    def __call__(self, _configuration: Any, *_arguments: Any, headers: dict[str, str], **_options: Any) -> Any:
        """Answer like portforward_call()."""
        self.tokens.append(headers["authorization"])
        if self._reasons:
            self._then()
            raise ApiException(status=0, reason=self._reasons.pop(0))
        stream = SimpleNamespace(settimeout=lambda _timeout: None)
        return SimpleNamespace(socket=lambda _port: stream, close=lambda: None)


class Clock:
    """A clock that only a sleep moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


def write_kubeconfig(path: Path, token: str) -> None:
    """Write a kubeconfig with a token."""
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example:6443"}}],
        "users": [{"name": "c", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Return the path of a kubeconfig."""
    write_kubeconfig(tmp_path / "kubeconfig", "old")
    return tmp_path / "kubeconfig"


@pytest.fixture
def clock() -> Clock:
    """Return what the connection takes for the time."""
    return Clock()


@pytest.fixture
def forward(kubeconfig: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Calls], None]]:
    """Open a forwarded port by these calls: `forward(calls)`."""
    with Connection({"kubeconfig": str(kubeconfig)}, clock=clock, sleep=clock.sleep) as connection:

        def run(calls: Calls) -> None:
            monkeypatch.setattr(pod_stream, "portforward_call", calls)
            with pod_stream.forwarded_port(connection, POD, 8080, 1):
                pass

        yield run


@pytest.mark.parametrize(
    "reason", [DROPPED, *(answered(status) for status in (429, 500, 502, 503, 504))], ids=lambda reason: reason[:20]
)
def test_a_passing_fault_is_outlived(forward: Callable[[Calls], None], reason: str) -> None:
    calls = Calls(reason, reason)
    forward(calls)
    assert len(calls.tokens) == 3


@pytest.mark.parametrize(
    ("reason", "error", "words"),
    [(DROPPED, StreamFailed, DROPPED), (answered(503, "no backend"), ApiError, "no backend")],
)
def test_a_fault_that_stays_is_reported(
    forward: Callable[[Calls], None], clock: Clock, reason: str, error: type[ApplyError], words: str
) -> None:
    with pytest.raises(error, match=words):
        forward(Calls(*[reason] * 1000))
    assert clock.now == pytest.approx(FIRST_CONTACT_PERIOD)


def test_a_refusal_is_not_repeated(forward: Callable[[Calls], None]) -> None:
    calls = Calls(answered(403, "pods is forbidden"))
    with pytest.raises(ApiError, match="pods is forbidden") as caught:
        forward(calls)
    assert caught.value.status == 403
    assert len(calls.tokens) == 1


def test_an_expired_credential_is_read_again_once(forward: Callable[[Calls], None], kubeconfig: Path) -> None:
    calls = Calls(answered(401), then=lambda: write_kubeconfig(kubeconfig, "new"))
    forward(calls)
    assert calls.tokens == ["Bearer old", "Bearer new"]
    with pytest.raises(ConnectionFailed, match="401"):
        forward(Calls(answered(401), answered(401)))
