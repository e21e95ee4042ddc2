# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher reaches from its pod. The command runs here, with the addresses of servers of the test."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    CommandMissing,
    ContainerOf,
    EndedCommand,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import checks, egress, egress_probes
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import Outcome
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

PASSWORD = "MARKED-ä $x"
GO_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
PROXY = {"name": "linkerd-proxy"}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
POLICY = "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/agentsmith-dispatcher"


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], tuple[int, list[bytes]]]]:
    """Start a server that answers what it is sent: `serve(answer)` returns its port and what it got."""
    listeners: list[socket.socket] = []

    def run(answer: bytes) -> tuple[int, list[bytes]]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        got: list[bytes] = []

        def accept() -> None:
            while True:
                try:
                    peer, _address = listener.accept()
                except OSError:
                    return
                with peer:
                    got.append(peer.recv(65536))
                    peer.sendall(answer)

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1], got

    yield run
    for listener in listeners:
        listener.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Return a port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Outcome]]:
    """Ask a Dispatcher: `ask(check, …, redis_url=…, api_server=port, sidecars=…, answers=…)`."""
    monkeypatch.setattr(egress_probes, "SETTLING_TIME", 0.0)
    monkeypatch.setattr(egress, "KNOWN_NAME", "localhost")

    def run(
        *only: str,
        redis_url: str = "localhost:6379",
        api_server: int = 1,
        sidecars: tuple[Any, ...] = (),
        program: Callable[..., EndedCommand] | None = None,
        objects: tuple[Any, ...] = (),
    ) -> dict[str, Outcome]:
        variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api_server)}

        def here(_connection: Any, pod: ContainerOf, command: list[str], stdin: bytes) -> EndedCommand:
            assert pod == ContainerOf("n", "d", "dispatcher")
            assert not any("MARKED" in word for word in command), "a password is in no command"
            ended = subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **variables})
            assert ended.returncode in (0, 1), ended
            return EndedCommand(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

        monkeypatch.setattr(egress, "run_command", program or here)
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        pod = {
            "metadata": {"name": "d"},
            "spec": {"containers": [*sidecars, {"name": "dispatcher"}]},
            "status": ready,
        }
        deployment = {"metadata": {}, "spec": {"selector": {"matchLabels": {"app": "agentsmith-dispatcher"}}}}
        answers = {
            "/apis/apps/v1/namespaces/n/deployments/agentsmith-dispatcher": deployment,
            "/api/v1/namespaces/n/pods": {"items": [pod]},
            "/api/v1/namespaces/n/secrets/s": {"data": {"redis-url": base64.b64encode(redis_url.encode()).decode()}},
        }
        asked = Asked(Target(FakeConnection(answers), Names("n", "s", "c", "a"), [*objects]), "", "", 0)
        return {outcome.check: outcome for outcome in checks.verify(asked, only)}

    return run


def test_everything_answers(ask: Any, serve: Any) -> None:
    api_server, _got = serve(GO_TLS)
    redis, got = serve(b"+PONG\r\n")
    only = ("egress_api_server", "egress_dns", "egress_redis")
    found = ask(*only, api_server=api_server, redis_url=f"localhost:{redis},abortConnect=false")
    assert {outcome.result for outcome in found.values()} == {"ok"}, found
    assert found["egress_api_server"].evidence == f"127.0.0.1:{api_server} answers"
    assert got == [b"*1\r\n$4\r\nPING\r\n"]


def test_the_api_server_is_cut_off(ask: Any, closed_port: int) -> None:
    found = ask("egress_api_server", "egress_dns", api_server=closed_port)
    assert found["egress_api_server"].result == "failed"
    assert found["egress_api_server"].evidence == f"127.0.0.1:{closed_port}: Connection refused"
    assert "dispatcher_network_policy_api_server_port" in found["egress_api_server"].hint
    assert found["egress_dns"].result == "ok", "the name has an address"


def test_dns_does_not_know_the_cluster(ask: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "KNOWN_NAME", "kubernetes.default.invalid")
    found = ask("egress_dns", "egress_api_server", api_server=serve(GO_TLS)[0])
    assert (found["egress_api_server"].result, found["egress_dns"].result) == ("ok", "failed")
    assert "dispatcher_network_policy_dns_peers" in found["egress_dns"].hint


def vanishes(*vanishing: str) -> Callable[..., EndedCommand]:
    """Stand in for a pod from which calls to these hosts vanish, as most policies have it; others are taken."""

    def run(_connection: Any, _pod: Any, command: list[str], _stdin: bytes) -> EndedCommand:
        host = command[6] or "10.96.0.1"
        if host in vanishing:
            return EndedCommand(124, f"{host}:443\n", "")
        return EndedCommand(0, f"{host}:443\nconnected\nHTTP/1.0 400 Bad Request\n", "")

    return run


def test_packets_that_vanish(ask: Any) -> None:
    only = ("egress_api_server", "egress_dns", "egress_redis")
    found = ask(*only, program=vanishes("localhost"), redis_url="localhost:6379")
    assert [found[check].result for check in only] == ["ok", "failed", "failed"]
    found = ask(*only[:2], program=vanishes("10.96.0.1", "localhost"))
    assert [found[check].result for check in only[:2]] == ["failed", "not checked"]
    assert "within 10 s" in found["egress_api_server"].evidence


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (b"+OK\r\n", "ok", "answers"),
        (b"-NOPERM no permission\r\n", "ok", "answers"),
        (b"-WRONGPASS invalid username-password pair\r\n", "failed", "WRONGPASS"),
        (b"-NOAUTH Authentication required.\r\n", "failed", "NOAUTH"),
        (b"-ERR AUTH <password> called without any password configured for the default user\r\n", "warning", "has no"),
        (b"HTTP/1.1 400 Bad Request\r\n", "failed", "HTTP/1.1 400"),
        (b"", "failed", "no answer of Redis"),
    ],
)
def test_what_redis_says_of_the_password(ask: Any, serve: Any, answer: bytes, result: str, words: str) -> None:
    port, got = serve(answer)
    outcome = ask("egress_redis", redis_url=f"localhost:{port},user=app,password={PASSWORD}")["egress_redis"]
    assert (outcome.result, words in outcome.evidence) == (result, True), outcome
    assert "MARKED" not in str(outcome)
    assert got[0] == b"*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$%d\r\n%s\r\n" % (len(PASSWORD.encode()), PASSWORD.encode())


def test_a_password_without_a_user_is_given_as_the_app_gives_it(ask: Any, serve: Any) -> None:
    """Redis takes any password for a named user that needs none, and complains only without a name."""
    port, got = serve(b"+OK\r\n")
    ask("egress_redis", redis_url=f"localhost:{port},password=MARKED")
    assert got == [b"*2\r\n$4\r\nAUTH\r\n$6\r\nMARKED\r\n"]


def test_a_redis_that_does_not_run_is_the_cause(ask: Any, closed_port: int) -> None:
    """Its address and the policies are not: who looks there loses time. One that others run is not looked at."""
    redis = {"kind": "Deployment", "metadata": {"name": "redis"}}
    url = f"localhost:{closed_port}"
    bundled = ask("egress_redis", redis_url=url, objects=(redis,))["egress_redis"]
    foreign = ask("egress_redis", redis_url=url)["egress_redis"]
    assert (bundled.result, foreign.result) == ("failed", "failed")
    assert bundled.hint == "The Redis of this release does not run: see redis_rollout."
    assert "secrets_redis_url" in foreign.hint


def test_one_of_several_end_points_is_enough(ask: Any, serve: Any, closed_port: int) -> None:
    port, _got = serve(b"+PONG\r\n")
    assert ask("egress_redis", redis_url=f"localhost:{closed_port},127.0.0.1:{port}")["egress_redis"].result == "ok"
    cut_off = ask("egress_redis", redis_url=f"localhost:{closed_port}")["egress_redis"]
    assert (cut_off.result, "Connection refused" in cut_off.evidence) == ("failed", True)
    assert "dispatcher_network_policy_redis_peers" in cut_off.hint


def test_over_tls_the_connection_alone_is_asked(ask: Any, serve: Any) -> None:
    port, _got = serve(b"")
    outcome = ask("egress_redis", redis_url=f"localhost:{port},ssl=true,password={PASSWORD}")["egress_redis"]
    assert outcome.result == "ok"
    assert "not asked over TLS" in outcome.evidence


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 502 Bad Gateway\r\n\r\n"])
def test_a_mesh_that_takes_every_call_proves_nothing(ask: Any, serve: Any, answer: bytes) -> None:
    port, _got = serve(answer)
    assert ask("egress_api_server", api_server=port, sidecars=(PROXY,))["egress_api_server"].result == "not checked"


def test_a_proxy_that_nobody_sees_proves_nothing_either(ask: Any, serve: Any) -> None:
    port, _got = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    outcome = ask("egress_api_server", api_server=port)["egress_api_server"]
    assert (outcome.result, "HTTP/1.1 400" in outcome.evidence) == ("not checked", True)
    silent, _got = serve(b"")
    assert ask("egress_api_server", api_server=silent)["egress_api_server"].result == "ok"


def test_a_mesh_that_lets_the_call_through_is_ok(ask: Any, serve: Any) -> None:
    port, _got = serve(GO_TLS)
    assert ask("egress_api_server", api_server=port, sidecars=(PROXY,))["egress_api_server"].result == "ok"


def raises(error: Exception) -> Any:
    def run(*_arguments: Any) -> EndedCommand:
        raise error

    return run


@pytest.mark.parametrize(
    "program",
    [
        raises(CommandMissing("pod d: its image does not contain bash")),
        raises(ApiError(403, "Forbidden", "pods/exec is forbidden")),
        lambda *_arguments: EndedCommand(1, "", "bash: line 4: /dev/tcp/1/1: No such file or directory\n"),
    ],
)
def test_what_cannot_be_asked_is_not_checked(ask: Any, program: Any) -> None:
    found = ask("egress_api_server", "egress_dns", "egress_redis", program=program)
    assert {outcome.result for outcome in found.values()} == {"not checked"}


def test_a_network_that_opens_a_moment_later_is_waited_for(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_probes, "SETTLING_TIME", 20.0)
    monkeypatch.setattr(egress_probes, "PAUSE", 0.0)
    answers = [EndedCommand(124, "redis:6379\n", "")] * 2 + [EndedCommand(0, "redis:6379\nconnected\n+PONG\n", "")]
    assert ask("egress_redis", program=lambda *_arguments: answers.pop(0))["egress_redis"].result == "ok"
    assert not answers


def a_policy(*egress_rules: Any) -> dict[str, Any]:
    return {"metadata": {"name": "agentsmith-dispatcher"}, "spec": {"egress": [*egress_rules]}}


def a_rule(port: Any, **peer: Any) -> dict[str, Any]:
    return {"ports": [{"protocol": "TCP", "port": port}], **({"to": [peer]} if peer else {})}


EVERYWHERE = {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}


@pytest.mark.parametrize(
    ("policy", "address", "port", "result"),
    [
        (a_policy(a_rule(6443, ipBlock=EVERYWHERE)), "10.0.0.9", 6443, "ok"),
        (a_policy(a_rule(6443, ipBlock=EVERYWHERE)), "10.0.0.9", 8443, "warning"),
        (a_policy(a_rule(6443, ipBlock=EVERYWHERE)), "fd00::9", 6443, "warning"),
        (a_policy(a_rule(6443, ipBlock={"cidr": "10.0.0.8/32"})), "10.0.0.9", 6443, "warning"),
        (a_policy(a_rule(6443, ipBlock=EVERYWHERE), a_rule(16443)), "10.0.0.9", 16443, "ok"),
        (a_policy({"ports": [{"port": 6000, "endPort": 7000}]}), "10.0.0.9", 6444, "ok"),
        (a_policy({}), "10.0.0.9", 6444, "ok"),
        (a_policy(a_rule("https")), "10.0.0.9", 443, "warning"),
        (a_policy(a_rule(443, podSelector={})), "10.0.0.9", 443, "warning"),
        (None, "10.0.0.9", 6443, "not checked"),
    ],
)
def test_the_port_of_the_api_server(policy: Any, address: str, port: int, result: str) -> None:
    outcome = port_outcome(policy, address, port, [])
    assert outcome.result == result, outcome
    if result == "warning":
        assert f"Set dispatcher_network_policy_api_server_port to {port}" in outcome.hint
        assert "api_server_peers" in outcome.hint


def port_outcome(policy: Any, address: str, port: int, objects: list[Any]) -> Outcome:
    slices = {"items": [{"endpoints": [{"addresses": [address]}], "ports": [{"name": "https", "port": port}]}]}
    namespace = {"/api/v1/namespaces/n": {"metadata": {"name": "n"}}}
    connection = FakeConnection({SLICES: slices, **namespace, **({POLICY: policy} if policy else {})})
    asked = Asked(Target(connection, Names("n", "s", "c", "a"), objects), "", "", 0)
    (outcome,) = checks.verify(asked, ["api_server_port"])
    return outcome


def test_a_policy_of_another_kind_may_open_the_way() -> None:
    cilium = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "api-server"}}
    outcome = port_outcome(a_policy(a_rule(6443)), "10.0.0.9", 8443, [cilium])
    assert outcome.result == "not checked"
    assert "CiliumNetworkPolicy api-server may" in outcome.evidence
