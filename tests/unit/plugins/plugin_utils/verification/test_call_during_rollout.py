# SPDX-License-Identifier: GPL-3.0-or-later
"""Which call is made while a rollout is waited for, and what it counts for afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    CommandMissing,
    ContainerOf,
    EndedCommand,
    StreamCut,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import (
    call_during_rollout,
    checks,
    egress,
    network_policy,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.call_during_rollout import (
    CallDuringRollout,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.network_policy import LostCall
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

PODS = "/api/v1/namespaces/n/pods"
OWNER = Owner("n", "agentsmith")
LOST = EndedCommand(124, "", "")
TAKEN = EndedCommand(0, "PONG\n", "")
CONNECTED = EndedCommand(0, "10.0.0.1:6379\nconnected\n+PONG\n", "")  # the Dispatcher, to Redis
REFUSED = EndedCommand(1, "", "Could not connect to Redis at 10.0.0.5:8080: Connection refused\n")
SOON = 5.0  # seconds in which a thread surely does its part


def a_pod(app: str, number: int = 1, ready: bool = False, state: str = "running", **metadata: Any) -> dict[str, Any]:
    name = app.removeprefix("agentsmith-")
    status = {"name": name, "containerID": f"containerd://{name}-{number}", "state": {state: {}}}
    return {
        "metadata": {
            "name": f"{app}-{number}",
            "labels": {"app": app},
            "creationTimestamp": f"2026-11-29T12:00:0{number}Z",
            **metadata,
        },
        "spec": {"containers": [{"name": name, "ports": [{"name": "http", "containerPort": 8081}]}]},
        "status": {
            "podIP": f"10.0.0.{number}",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [status],
        },
    }


def redis(number: int = 1, **more: Any) -> dict[str, Any]:
    return a_pod("redis", number, **more)


def dispatcher(number: int = 1, **more: Any) -> dict[str, Any]:
    return a_pod("agentsmith-dispatcher", number, **more)


class Scene:
    """The pods of a namespace as the test sets them, and the calls that are made."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = []
        self.answer: EndedCommand | ApplyError = LOST
        self.calls: list[tuple[str, str, int]] = []
        self.looks = 0
        self.connection = FakeConnection({PODS: self._items})

    def _items(self) -> dict[str, Any]:
        self.looks += 1
        return {"items": list(self.pods)}

    def call(self, _connection: Any, container: ContainerOf, address: str, port: int) -> EndedCommand:
        self.calls.append((container.pod, address, port))
        if isinstance(self.answer, ApplyError):
            raise self.answer
        return self.answer

    def during(self, *steps: list[dict[str, Any]]) -> LostCall:
        """Let the pods be one after the other of *steps*; return the call that counts."""
        self.pods = steps[0]
        with CallDuringRollout(self.connection, OWNER) as call:  # type: ignore[arg-type]
            for pods in steps:
                self.pods = pods
                seen, deadline = self.looks, time.monotonic() + SOON
                while self.looks < seen + 2:  # the first may have begun before
                    assert time.monotonic() < deadline, "nobody looks"
                    time.sleep(0.001)
        return call.lost


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene()
    monkeypatch.setattr(call_during_rollout, "PAUSE", 0.001)
    monkeypatch.setattr(call_during_rollout, "call_dispatcher", made.call)
    return made


def test_a_first_deploy_calls_as_soon_as_both_run(scene: Scene) -> None:
    lost = scene.during([], [redis(state="waiting")], [redis(), dispatcher(state="waiting")], [redis(), dispatcher()])
    assert lost == LostCall("containerd://redis-1", "containerd://dispatcher-1")
    assert scene.calls == [("redis-1", "10.0.0.1", 8081)]


def test_what_is_replaced_is_called_when_its_successor_runs(scene: Scene) -> None:
    old, serving = redis(ready=True), dispatcher(ready=True)
    going = redis(deletionTimestamp="2026-11-29T12:00:00Z")
    lost = scene.during(
        [old, serving], [going, serving], [redis(2), serving], [redis(2, ready=True), dispatcher(ready=True)]
    )
    assert lost == LostCall("containerd://redis-2", "containerd://dispatcher-1")
    assert scene.calls == [("redis-2", "10.0.0.1", 8081)]


def test_of_two_dispatchers_the_newest_counts(scene: Scene) -> None:
    lost = scene.during([redis(ready=True), dispatcher(ready=True), dispatcher(2)])
    assert lost.called == "containerd://dispatcher-2"


def test_a_container_that_starts_again_is_called_again(scene: Scene) -> None:
    again = redis(2)
    again["metadata"]["name"] = "redis-1"
    lost = scene.during([redis(), dispatcher()], [again, dispatcher()])
    assert lost == LostCall("containerd://redis-2", "containerd://dispatcher-1")
    assert len(scene.calls) == 2


@pytest.mark.parametrize("answer", [TAKEN, REFUSED, StreamCut("cut"), ApiError(403, "Forbidden", "no exec")], ids=repr)
def test_a_call_that_does_not_vanish_counts_for_nothing(scene: Scene, answer: EndedCommand | ApplyError) -> None:
    scene.answer = answer
    assert scene.during([redis(), dispatcher()]) == LostCall()
    assert len(scene.calls) == 1


def test_where_all_is_ready_the_check_makes_its_own_call(scene: Scene) -> None:
    assert scene.during([redis(ready=True), dispatcher(ready=True)]) == LostCall()
    assert not scene.calls


def test_who_may_not_list_pods_deploys_all_the_same(scene: Scene) -> None:
    def refuse() -> None:
        scene.looks += 1
        raise ApiError(403, "Forbidden", "no")

    scene.connection.answers[PODS] = refuse
    with CallDuringRollout(scene.connection, OWNER) as call:  # type: ignore[arg-type]
        call._thread.join(SOON)
        assert not call._thread.is_alive()
    assert (call.lost, scene.looks, scene.calls) == (LostCall(), 1, [])


def test_only_pods_of_the_release_are_looked_at(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's Redis in the namespace has the label `app: redis`, too."""
    asked = []
    get = scene.connection.get

    def noting(path: str, query: Any) -> Any:
        asked.append((path, query))
        return get(path, query)

    monkeypatch.setattr(scene.connection, "get", noting)
    scene.during([redis(), dispatcher()])
    selector = "app in (agentsmith-dispatcher,redis),app.kubernetes.io/instance=agentsmith"
    assert asked[0] == (PODS, {"labelSelector": selector})


def test_a_call_that_hangs_holds_the_deploy_up_no_longer_than_one_that_begins_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(call_during_rollout, "PATIENCE", 0.1)

    def hang(*_arguments: Any) -> EndedCommand:
        begun.set()
        released.wait(60)
        return LOST

    monkeypatch.setattr(call_during_rollout, "call_dispatcher", hang)
    scene.pods = [redis(), dispatcher()]
    with CallDuringRollout(scene.connection, OWNER) as call:  # type: ignore[arg-type]
        assert begun.wait(SOON)
    assert call.lost == LostCall()
    released.set()


def test_a_rollout_that_fails_is_told_as_it_is(scene: Scene) -> None:
    with pytest.raises(ApplyError, match="will not become ready"), CallDuringRollout(scene.connection, OWNER):  # type: ignore[arg-type]
        raise ApplyError("Deployment redis will not become ready")


# --- What the check makes of it -----------------------------------------------------------------------------------

Ask = Callable[..., tuple[str, str]]
NAMESPACE = "/api/v1/namespaces/n"


class Clients:
    """Redis, to which the Dispatcher is connected or not."""

    def __init__(self, address: str) -> None:
        self._answer = f"id=5 addr={address}:50654 laddr=10.0.0.9:6379\n"

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def command(self, *_words: str) -> str:
        return self._answer


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Verify `ask(lost, pods…, connected=…, back=…, required=…)`: the result, and whose pods were made to call."""
    apps = f"{NAMESPACE}/deployments".replace("/api/v1", "/apis/apps/v1")
    policy = f"{NAMESPACE}/networkpolicies/redis".replace("/api/v1", "/apis/networking.k8s.io/v1")

    def run(
        lost: LostCall,
        *pods: dict[str, Any],
        connected: str = "10.0.0.1",
        back: EndedCommand | ApplyError = CONNECTED,
        required: bool = False,
    ) -> tuple[str, str]:
        made: list[str] = []

        def call(_connection: Any, container: ContainerOf, command: Any, _request: bytes = b"") -> EndedCommand:
            made.append(container.pod)
            if "redis-cli" in command:
                return TAKEN
            assert command[-3:-1] == ["10.0.0.1", "6379"]
            if isinstance(back, ApplyError):
                raise back
            return back

        monkeypatch.setattr(network_policy, "redis_client", lambda *_arguments: Clients(connected))
        monkeypatch.setattr(network_policy, "run_command", call)
        monkeypatch.setattr(egress, "run_command", call)
        monkeypatch.setattr(
            Target, "pods_of", lambda _self, body: [pod for pod in pods if pod["metadata"]["labels"] == body["labels"]]
        )
        answers = {
            f"{apps}/{name}": {"metadata": {"name": name}, "labels": {"app": name}}
            for name in ("redis", "agentsmith-dispatcher")
        }
        connection = FakeConnection({NAMESPACE: {}, policy: {}, **answers})
        target = Target(connection, Names("n"), [])  # type: ignore[arg-type]
        asked = Asked(target, "", "", 0, require_network_policy=required, lost_call=lost)
        (outcome,) = checks.verify(asked, ["network_policy"])
        return outcome.result, " ".join(made)

    return run


SEEN = LostCall("containerd://redis-1", "containerd://dispatcher-1")
READY = (redis(ready=True), dispatcher(ready=True))


def test_a_call_that_has_vanished_is_not_made_again(ask: Ask) -> None:
    assert ask(SEEN, *READY) == ("ok", "")
    assert ask(SEEN, dispatcher(2, ready=True), *READY) == ("ok", "")


def test_a_dispatcher_that_is_not_connected_yet_is_made_to_call_redis(ask: Ask) -> None:
    assert ask(SEEN, *READY, connected="10.0.0.7") == ("ok", "agentsmith-dispatcher-1")


@pytest.mark.parametrize(
    "back",
    [
        EndedCommand(0, "10.0.0.1:6379\nconnected\n\n", ""),
        EndedCommand(124, "10.0.0.1:6379\n", ""),
        EndedCommand(1, "", "refused"),
        CommandMissing("no bash"),
    ],
    ids=repr,
)
def test_a_lost_call_proves_nothing_where_the_way_is_not_known_to_be_good(
    ask: Ask, back: EndedCommand | ApplyError
) -> None:
    assert ask(SEEN, *READY, connected="10.0.0.7", back=back) == ("not checked", "agentsmith-dispatcher-1")


@pytest.mark.parametrize(
    "pods",
    [(redis(2, ready=True), READY[1]), (READY[0], dispatcher(2, ready=True))],
    ids=["redis", "dispatcher"],
)
def test_another_container_is_called_anew(ask: Ask, pods: tuple[dict[str, Any], ...]) -> None:
    assert ask(SEEN, *pods) == ("warning", pods[0]["metadata"]["name"])


def test_without_such_a_call_the_check_makes_it(ask: Ask) -> None:
    assert ask(LostCall(), *READY) == ("warning", "redis-1")


def test_who_requires_enforcement_gets_a_call_between_ready_pods(ask: Ask) -> None:
    assert ask(SEEN, *READY, required=True) == ("failed", "redis-1")
