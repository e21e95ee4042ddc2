# SPDX-License-Identifier: GPL-3.0-or-later
"""At which port of a pod the Dispatcher is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import ContainerOf
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import checks, dispatcher_probes
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target

NAMES = Names("n", "agentsmith-secrets", "agentsmith-config", "agentsmith")


def a_pod(name: str, port: int | None) -> dict[str, Any]:
    """Return a ready pod whose container listens on a port; None for one that does not say which."""
    container = {"name": "dispatcher", **({"ports": [{"name": "http", "containerPort": port}]} if port else {})}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}, "status": ready}


def test_every_pod_is_asked_at_its_own_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a changed dispatcher_container_port comes, the old pods keep theirs."""
    pods = [a_pod("old", 8080), a_pod("new", 8081), a_pod("by-hand", None)]
    deployment = {"spec": {"selector": {"matchLabels": {"app": "agentsmith-dispatcher"}}}}
    connection = SimpleNamespace(
        find=lambda path: deployment if path.endswith("/deployments/agentsmith-dispatcher") else None,
        get=lambda _path, _query: SimpleNamespace(body={"items": pods}),
    )
    asked = set()

    @contextmanager
    def forwarded_port(_connection: Any, pod: ContainerOf, port: int, _timeout: float) -> Iterator[None]:
        asked.add((pod.pod, port))
        yield

    monkeypatch.setattr(dispatcher_probes, "forwarded_port", forwarded_port)
    monkeypatch.setattr(dispatcher_probes, "send_request", lambda *_arguments: Answer(200, '{"status":"ok"}', 0.01))
    outcomes = checks.verify(Asked(Target(connection, NAMES, []), "secret", "", 0), ["health"])
    assert [outcome.result for outcome in outcomes] == ["ok"]
    assert asked == {("old", 8080), ("new", 8081), ("by-hand", 8080)}
