# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the connection, answering from a table, for tests without an API server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError

Answer = Any | Exception | Callable[[], Any]


class FakeConnection:
    """Answers GET from *answers*, by path. A function is called each time, an exception is raised."""

    host = "https://cluster.example"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        self.deleted: list[tuple[str, str]] = []
        self.refusal: Exception | None = None

    def request(self, method: str, path: str, *, body: Mapping[str, Any]) -> None:
        """Note a deletion, path and uid, or raise the *refusal*."""
        assert method == "DELETE"
        if self.refusal:
            raise self.refusal
        self.deleted.append((path, body["preconditions"]["uid"]))

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = "") -> Response:
        """Answer like Connection.get()."""
        del query, accept
        self.asked.append(path)
        if path not in self.answers:
            raise ApiError(404, "NotFound", f"{path} not found")
        answer = self.answers[path]
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return Response(200, answer)

    def open_watch(self, *_request: Any) -> Any:
        """Refuse, as the API server does to who may not watch."""
        raise ApiError(403, "Forbidden", "not for you")

    def get_text(self, path: str, query: Mapping[str, Any]) -> str:
        """Answer like Connection.get_text(); the log of the previous container has a path of its own."""
        return self.get(path + ("?previous" if "previous" in query else "")).body

    def find(self, path: str) -> Any:
        """Answer like Connection.find()."""
        try:
            return self.get(path).body
        except ApiError as error:
            if error.status == 404:
                return None
            raise
