# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that nobody answers is "not checked" and undoes no deploy; a wrong answer still fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    CommandMissing,
    ContainerOf,
    StreamCut,
    StreamFailed,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import (
    checks,
    cluster_conversation,
    config_probes,
    dispatcher_probes,
    network_policy,
    redis_probes,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import Outcome
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

CUT = StreamCut("pod d, port 8080: closed")
BACKEND = ApiError(500, "InternalError", "error dialing backend: dial tcp 10.0.0.9:10250: i/o timeout")
GATEWAY = ApiError(502, "", "https://cluster.example answered 502: Bad Gateway")
REFUSED = StreamFailed("pod d, port 8080: connection refused")
HEALTHY, SIGNED_OUT = Answer(200, '{"status":"ok"}', 0.01), Answer(401, "", 0.01)
CHECKS = ["health", "challenge", "wrong_signature"]


def a_pod(name: str) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.0.5"}
    ports = [{"name": "http", "containerPort": 8080}]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "dispatcher", "ports": ports}, {"name": "redis"}]},
        "status": status,
    }


def a_target(*pods: str) -> Target:
    apps = "/apis/apps/v1/namespaces/n/deployments"
    answers: dict[str, Any] = {
        f"{apps}/{name}": {
            "metadata": {"name": name},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {"spec": {"containers": [{"name": "redis"}]}},
            },
        }
        for name in ("agentsmith-dispatcher", "redis", "stand-in-slack")
    }
    answers["/api/v1/namespaces/n/pods"] = {"items": [a_pod(name) for name in pods]}
    answers["/api/v1/namespaces/n/configmaps/agentsmith-config"] = {"data": {"agentsmith.yml": "{}"}}
    answers["/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/redis"] = {}
    return Target(FakeConnection(answers), Names("n", "agentsmith-secrets", "agentsmith-config", "agentsmith"), [])


def asked(monkeypatch: pytest.MonkeyPatch, answers: dict[tuple[str, str], Any], *pods: str) -> dict[str, Outcome]:
    """Ask Dispatchers that answer by pod and path; an exception is raised."""
    pod_of: list[str] = []

    @contextmanager
    def forwarded_port(_connection: Any, pod: ContainerOf, _port: int, _timeout: float) -> Iterator[str]:
        pod_of.append(pod.pod)
        yield pod.pod

    def send_request(pod: str, _method: str, path: str, *_more: Any) -> Answer:
        answer = answers[pod, path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(dispatcher_probes, "forwarded_port", forwarded_port)
    monkeypatch.setattr(dispatcher_probes, "send_request", send_request)
    return {
        outcome.check: outcome for outcome in checks.verify(Asked(a_target(*(pods or ("d",))), "secret", "", 0), CHECKS)
    }


@pytest.mark.parametrize("fault", [CUT, BACKEND, GATEWAY])
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    found = asked(monkeypatch, {("d", "/health"): fault})
    assert {outcome.result for outcome in found.values()} == {"not checked"}
    assert found["health"].evidence == str(fault)
    assert ("10250" in found["health"].hint) == (fault is not GATEWAY)


def test_a_stream_that_breaks_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer came through, and the way is gone when it is tried again."""
    health = iter([HEALTHY, CUT])

    def answer(_pod: str, _method: str, path: str, *_more: Any) -> Answer:
        found = next(health) if path == "/health" else CUT
        if isinstance(found, Exception):
            raise found
        return found

    asked(monkeypatch, {("d", "/health"): HEALTHY, ("d", "/slack/events"): SIGNED_OUT})
    monkeypatch.setattr(dispatcher_probes, "send_request", answer)
    found = checks.verify(Asked(a_target("d"), "secret", "", 0), CHECKS)
    assert [outcome.result for outcome in found] == ["not checked"] * 3


def test_an_app_that_is_silent_on_a_good_way_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, {("d", "/health"): HEALTHY, ("d", "/slack/events"): CUT})
    assert found["challenge"].result == "failed"


def test_a_port_that_nobody_listens_at_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, {("d", "/health"): REFUSED})
    assert {outcome.result for outcome in found.values()} == {"failed"}


def test_one_pod_that_cannot_be_asked_hides_no_wrong_answer_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    sick = Answer(500, "", 0.01)
    answers = {("d", "/health"): BACKEND, ("e", "/health"): sick, ("e", "/slack/events"): SIGNED_OUT}
    found = asked(monkeypatch, answers, "d", "e")
    assert (found["health"].result, found["wrong_signature"].result) == ("failed", "not checked")


def raises(error: Exception) -> Any:
    """Return a function, or a context, that raises."""

    def run(*_arguments: Any, **_options: Any) -> Any:
        raise error

    return run


@pytest.mark.parametrize("fault", [CUT, BACKEND, GATEWAY, CommandMissing("its image does not contain cat")])
def test_no_other_check_fails_either(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr(config_probes, "output_of", raises(fault))
    monkeypatch.setattr(redis_probes, "redis_client", raises(fault))
    monkeypatch.setattr(network_policy, "redis_client", raises(fault))
    only = ["mounted_config", "redis_ping", "redis_maxmemory", "network_policy"]
    found = checks.verify(Asked(a_target("d"), "secret", "", 0), only)
    assert {outcome.check: outcome.result for outcome in found} == dict.fromkeys(only, "not checked")


def test_a_conversation_that_could_not_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_conversation, "forwarded_port", raises(CUT))
    request = cluster_conversation.Request("fix #54 in web", "stand-in-slack", 8081, 1, 0)
    outcomes, conversation = cluster_conversation.converse(a_target("d"), request)
    assert {outcome.result for outcome in outcomes} == {"not checked"}
    assert conversation.as_lines() == []


def test_a_ready_pod_without_an_address_is_no_error() -> None:
    target = a_target("d")
    del target.connection.answers["/api/v1/namespaces/n/pods"]["items"][0]["status"]["podIP"]
    (outcome,) = checks.verify(Asked(target, "secret", "", 0), ["network_policy"])
    assert outcome.result == "not checked"
