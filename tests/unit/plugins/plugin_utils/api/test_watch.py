# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read while a watch tells of changes, and while there is none."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import watch
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.watch import Watched, Watches
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ConnectionFailed

PODS = "/api/v1/namespaces/n/pods"
SOON = 5.0  # seconds in which a thread surely does its part


def a_pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"{name}-uid", "resourceVersion": str(version)}}


class Told:
    """A watch of which the test says what it tells. None ends it, an exception cuts it."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = query
        self.is_interrupted = False
        self._lines: queue.Queue[bytes | Exception | None] = queue.Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def tell(self, kind: str, body: Any) -> None:
        self._lines.put(json.dumps({"type": kind, "object": body}).encode())

    def end(self, cause: Exception | None = None) -> None:
        self._lines.put(cause)

    def lines(self) -> Iterator[bytes]:
        while (line := self._lines.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line

    def interrupt(self) -> None:
        self.is_interrupted = True
        self._lines.put(None)


class Server:
    """Has pods, counts how often they are read, and keeps the watches that were begun."""

    def __init__(self) -> None:
        self.pods = [a_pod("a", 1)]
        self.version = 1
        self.reads: list[str] = []
        self.refusal: ApiError | None = None
        self.begun: queue.Queue[Told] = queue.Queue()

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        assert query == {"labelSelector": "app=a"}
        self.reads.append(path)
        return Response(200, {"metadata": {"resourceVersion": str(self.version)}, "items": list(self.pods)})

    def find(self, path: str) -> Any:
        self.reads.append(path)
        return next((pod for pod in self.pods if path == f"{PODS}/{pod['metadata']['name']}"), None)

    def open_watch(self, path: str, query: Mapping[str, str], _duration: float) -> Told:
        assert path == PODS
        told = Told(query)
        self.begun.put(told)
        if self.refusal:
            raise self.refusal
        return told


class Scene:
    """A server, the watches on it, and a clock that the test moves."""

    def __init__(self) -> None:
        self.server, self.seconds = Server(), 0.0
        self.watches = Watches(self.server, lambda: self.seconds)  # type: ignore[arg-type]

    def pods(self) -> Watched:
        return self.watches.of_list(PODS, {"labelSelector": "app=a"})

    def begun(self, watched: Watched) -> Told:
        """Read, and return the watch that this begins, when the server has taken it."""
        watched.items()
        told = self.server.begun.get(timeout=SOON)
        self.await_that(lambda: watched._stream is not None and watched._stream.is_open)
        return told

    def await_that(self, holds: Callable[[], bool]) -> None:
        """Wait until the thread of a watch has done its part."""
        for _ in range(int(SOON * 1000)):
            if holds():
                return
            self.watches.wait(0.001)
        raise AssertionError("it did not happen")


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    with made.watches:
        yield made


def test_what_a_watch_tells_is_not_read(scene: Scene) -> None:
    pods = scene.pods()
    told = scene.begun(pods)
    assert told.query == {
        "labelSelector": "app=a",
        "watch": "1",
        "resourceVersion": "1",
        "timeoutSeconds": str(watch.DURATION),
    }
    assert pods.items() == [a_pod("a", 1)]
    told.tell("MODIFIED", a_pod("a", 2))
    told.tell("ADDED", a_pod("b", 3))
    told.tell("DELETED", a_pod("a", 4))
    scene.await_that(lambda: pods.items() == [a_pod("b", 3)])
    assert scene.server.reads == [PODS]


def test_a_change_ends_the_pause(scene: Scene) -> None:
    pods = scene.pods()
    told = scene.begun(pods)
    assert not scene.watches.wait(0) and not pods.has_news
    told.tell("MODIFIED", a_pod("a", 2))
    assert scene.watches.wait(SOON) and pods.has_news
    assert pods.items() == [a_pod("a", 2)] and not pods.has_news
    assert not scene.watches.wait(0)


def test_one_object_is_watched_by_its_name(scene: Scene) -> None:
    pod = scene.watches.of_object(f"{PODS}/a")
    assert scene.begun(pod).query["fieldSelector"] == "metadata.name=a"
    assert pod.find() == a_pod("a", 1)
    assert scene.server.reads == [f"{PODS}/a"]


def test_one_object_that_is_deleted_is_not_there(scene: Scene) -> None:
    pod = scene.watches.of_object(f"{PODS}/a")
    scene.begun(pod).tell("DELETED", a_pod("a", 2))
    scene.await_that(lambda: pod.find() is None)
    assert scene.server.reads == [f"{PODS}/a"]


@pytest.mark.parametrize("refusal", [ApiError(403, "Forbidden", "no"), ApiError(500, "InternalError", "down")])
def test_who_may_not_watch_reads_each_time(scene: Scene, refusal: ApiError) -> None:
    scene.server.refusal = refusal
    pods = scene.pods()
    for _ in range(5):
        pods.items()
        scene.await_that(lambda: not pods.is_watching)
    assert len(scene.server.reads) == 5 and scene.server.begun.qsize() == watch.MOST_ATTEMPTS


@pytest.mark.parametrize("cut", [None, ConnectionFailed("cut")])
def test_a_watch_that_ends_is_followed_by_a_read_and_another_watch(scene: Scene, cut: Exception | None) -> None:
    pods = scene.pods()
    for version in range(2, 6):
        told = scene.begun(pods)
        told.tell("MODIFIED", a_pod("a", version))
        told.end(cut)
        scene.await_that(lambda: not pods.is_watching)
        assert pods.has_news
    assert len(scene.server.reads) == 4


def test_a_watch_whose_version_is_gone_is_no_answer(scene: Scene) -> None:
    pods = scene.pods()
    told = scene.begun(pods)
    told.tell("ERROR", {"kind": "Status", "code": 410})
    scene.await_that(lambda: not pods.is_watching)
    assert pods.items() == [a_pod("a", 1)] and len(scene.server.reads) == 2


def test_what_is_no_line_of_a_watch_ends_it(scene: Scene) -> None:
    pods = scene.pods()
    scene.begun(pods)._lines.put(b"<html>")
    scene.await_that(lambda: not pods.is_watching)


def test_a_watch_that_is_silent_is_asked_behind_its_back(scene: Scene) -> None:
    """Something on the way may keep what the API server tells."""
    pods = scene.pods()
    told = scene.begun(pods)
    scene.server.pods = [a_pod("a", 2)]
    scene.seconds = watch.TRUSTED - 0.1
    assert pods.items() == [a_pod("a", 1)]
    scene.seconds = watch.TRUSTED
    assert pods.items() == [a_pod("a", 2)] and told.is_interrupted
    scene.begun(pods)
    scene.server.pods = [a_pod("a", 3)]
    scene.seconds += watch.TRUSTED
    assert pods.items() == [a_pod("a", 3)]
    assert scene.server.begun.empty() and not pods.is_watching


def test_a_watch_that_has_nothing_to_tell_goes_on(scene: Scene) -> None:
    pods = scene.pods()
    told = scene.begun(pods)
    for _ in range(5):
        scene.seconds += watch.TRUSTED
        assert pods.items() == [a_pod("a", 1)]
    assert not told.is_interrupted and len(scene.server.reads) == 6 and scene.server.begun.empty()


def test_there_are_not_more_watches_than_pay(scene: Scene) -> None:
    for _ in range(watch.MOST_WATCHES):
        scene.begun(scene.pods())
    late = scene.pods()
    late.items()
    assert not late.is_watching
    scene.watches._watched[0].close()
    scene.begun(late)


def test_the_end_of_the_wait_ends_the_watches() -> None:
    scene = Scene()
    with scene.watches:
        told = scene.begun(scene.pods())
    assert told.is_interrupted
