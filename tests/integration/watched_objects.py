# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: what is in a collection of the API server, by a watch instead of asking again and again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import urllib3
from control_plane import ControlPlane

Objects = Callable[[], list[dict[str, Any]]]


@contextmanager
def watched_objects(control_plane: ControlPlane, path: str) -> Iterator[Objects]:
    """Follow the collection at *path* for as long as the context lasts; yield a function that returns its objects."""
    watch = _Watch(control_plane, path)
    thread = threading.Thread(target=watch.follow)
    thread.start()
    try:
        yield lambda: list(watch.objects.values())
    finally:
        watch.end()
        thread.join()


class _Watch:
    def __init__(self, control_plane: ControlPlane, path: str) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self._control_plane = control_plane
        self._path = path
        self._ended = threading.Event()
        self._answer: urllib3.BaseHTTPResponse | None = None

    def follow(self) -> None:
        """Watch until the end. The server ends a watch now and then; the next one begins with what is there."""
        while not self._ended.is_set():
            self.objects.clear()
            self._answer = answer = self._control_plane.watch(self._path)
            with suppress(urllib3.exceptions.HTTPError):
                for line in [] if self._ended.is_set() else answer:
                    self._take(json.loads(line))
            answer.close()

    def _take(self, event: dict[str, Any]) -> None:
        uid = event["object"].get("metadata", {}).get("uid")
        if event["type"] == "DELETED":
            self.objects.pop(uid, None)
        elif event["type"] in ("ADDED", "MODIFIED"):
            self.objects[uid] = event["object"]

    def end(self) -> None:
        """Stop reading what may not come for minutes."""
        self._ended.set()
        if self._answer:
            with suppress(RuntimeError):  # it has just ended by itself
                self._answer.shutdown()
