# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that the API server tells of when they change, instead of being asked again and again.

A watch follows a read (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). If
there is none, because it is refused, cut, or held back by something on the way, whoever asks reads as before.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from ..objects.errors import ApplyError
from .connection import Connection
from .transport import LineStream

# More would not pay: each one is a connection of its own
MOST_WATCHES = 8
# Seconds after which the API server ends a watch
DURATION = 120
# Seconds after which what a watch told is read anew: something on the way may hold its answers back
TRUSTED = 5.0
# How often a watch is begun that ends without having told anything
MOST_ATTEMPTS = 2


Object = Mapping[str, Any]
CHANGES = ("ADDED", "MODIFIED", "DELETED")


class Watches:
    """The watches of one wait. Use it as a context manager."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self.connection = connection
        self.clock = clock
        self._changed = threading.Event()
        self._watched: list[Watched] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for watched in self._watched:
            watched.close()

    @property
    def are_enough(self) -> bool:
        """Whether no more watches are to be begun."""
        return sum(watched.is_watching for watched in self._watched) >= MOST_WATCHES

    def of_object(self, path: str) -> "Watched":
        """Return the object at a path, to be read."""
        collection, _slash, name = path.rpartition("/")
        return self._add(Watched(self, path, None, collection, {"fieldSelector": f"metadata.name={name}"}))

    def of_list(self, path: str, query: Mapping[str, str]) -> "Watched":
        """Return the objects of a collection, to be read."""
        return self._add(Watched(self, path, query, path, query))

    def tell(self) -> None:
        """Say that something has changed."""
        self._changed.set()

    def wait(self, seconds: float) -> bool:
        """Wait until something changes, no longer than *seconds*. Return whether it does."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def _add(self, watched: "Watched") -> "Watched":
        self._watched.append(watched)
        return watched


class Watched:
    """An object, or those of a list.

    ``has_news``: whether a watch has told something since the last read.

    :param query: of a list, None for an object.
    :param collection: what is watched, with the *selector*.
    """

    def __init__(
        self,
        watches: Watches,
        path: str,
        query: Mapping[str, str] | None,
        collection: str,
        selector: Mapping[str, str],
    ) -> None:
        self._watches = watches
        self._path, self._query = path, query
        self._collection, self._selector = collection, selector
        self._stream: _Stream | None = None
        self._attempts = 0
        self._read_at = 0.0
        self.has_news = False

    @property
    def is_watching(self) -> bool:
        """Whether a watch runs, or is begun."""
        return self._stream is not None and not self._stream.has_ended

    def items(self) -> list[Object]:
        """Return the objects as they are now.

        :raises ApiError: when they cannot be read.
        """
        self.has_news = False
        stream, now = self._stream, self._watches.clock()
        if stream and stream.is_open and now - max(self._read_at, stream.told_at or 0.0) < TRUSTED:
            return stream.objects()
        found, version = self._read()
        self._read_at = now
        if stream and not stream.has_ended:
            if not stream.is_open or _versions(stream.objects()) == _versions(found):
                return found
            stream.close()  # something on the way holds back what it tells
        self._begin(found, version)
        return found

    def find(self) -> Object | None:
        """Return the one object as it is now, None if it is not there."""
        return next(iter(self.items()), None)

    def close(self) -> None:
        """End the watch."""
        if self._stream:
            self._stream.close()

    def tell(self) -> None:
        """Say that there are news."""
        self.has_news = True
        self._watches.tell()

    def _read(self) -> tuple[list[Object], str]:
        """Return what is there, and as of which version."""
        connection = self._watches.connection
        if self._query is None:
            body = connection.find(self._path)
            return ([body] if body else []), _version(body or {})
        body = connection.get(self._path, self._query).body
        return body.get("items") or [], _version(body)

    def _begin(self, found: Sequence[Object], version: str) -> None:
        """Let a watch tell what becomes of what was read, unless watching has proved to be of no use."""
        if self._stream and self._stream.told_at is not None:
            self._attempts = 0
        if not version or self._attempts >= MOST_ATTEMPTS or self._watches.are_enough:
            return
        self._attempts += 1
        query = {**self._selector, "watch": "1", "resourceVersion": version, "timeoutSeconds": str(DURATION)}
        self._stream = _Stream(self, self._watches, self._collection, query, found)


class _Stream:
    """One watch, in a thread of its own.

    ``is_open``: whether the API server has taken it. ``told_at``: when it told something last.
    """

    def __init__(
        self, watched: Watched, watches: Watches, path: str, query: Mapping[str, str], found: Sequence[Object]
    ) -> None:
        self._watched, self._watches = watched, watches
        self._path, self._query = path, query
        self._objects = {_uid(body): body for body in found}
        self._answer: LineStream | None = None
        self._lock = threading.Lock()
        self.is_open = self.has_ended = False
        self.told_at: float | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def objects(self) -> list[Object]:
        """Return the objects as the watch told them."""
        with self._lock:
            return list(self._objects.values())

    def close(self) -> None:
        """End the watch, whatever it waits for."""
        with self._lock:
            self.has_ended, self.is_open = True, False
            answer, self._answer = self._answer, None
        if answer:
            answer.interrupt()

    def _run(self) -> None:
        try:
            with self._watches.connection.open_watch(self._path, self._query, DURATION) as answer:
                with self._lock:
                    if self.has_ended:
                        return
                    self._answer, self.is_open = answer, True
                for line in answer.lines():
                    if not self._take(json.loads(line)):
                        break
        except (ApplyError, ValueError):  # refused, cut, or no watch
            pass
        finally:
            is_missed = self.is_open
            self.close()
            if is_missed:
                self._watched.tell()

    def _take(self, event: Mapping[str, Any]) -> bool:
        """Note a change. Return whether the watch goes on."""
        if event.get("type") not in CHANGES:
            return False  # ERROR: the version from which it was to begin is gone
        body = event["object"]
        with self._lock:
            if event["type"] == "DELETED":
                self._objects.pop(_uid(body), None)
            else:
                self._objects[_uid(body)] = body
        self.told_at = self._watches.clock()
        self._watched.tell()
        return True


def _uid(body: Object) -> str:
    return body["metadata"].get("uid") or ""


def _version(body: Object) -> str:
    return (body.get("metadata") or {}).get("resourceVersion") or ""


def _versions(bodies: Sequence[Object]) -> set[tuple[str, str]]:
    return {(_uid(body), _version(body)) for body in bodies}
