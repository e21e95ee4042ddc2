# SPDX-License-Identifier: GPL-3.0-or-later
"""The wait until controllers of other tools serve what a release has written for them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..api.connection import Connection
from ..objects.identity import Identity
from ..objects.kinds import kind_of_body
from ..objects.planned_object import PlannedObject
from .certificate import judge_certificate, progress_words
from .gateway import judge_gateway
from .ingress import judge_ingress
from .route import judge_route
from .surroundings import Surroundings, issued_by
from .verdict import Verdict


def judge(live: Mapping[str, Any], around: Surroundings, before: Mapping[str, Any] | None = None) -> Verdict:
    """Judge an object of a kind that a controller serves (objects/kinds.py).

    :param before: how it was before the change that is judged, if known.
    """
    kind = kind_of_body(live)
    if kind.name == "Certificate":
        return judge_certificate(live, around)
    if kind.name == "Ingress":
        return judge_ingress(live, around, before)
    return judge_gateway(live, around) if kind.name == "Gateway" else judge_route(live, around)


def evidence(live: Mapping[str, Any], verdict: Verdict, around: Surroundings) -> list[str]:
    """Return a verdict in lines, with what else a controller says."""
    what = "ready" if live["kind"] == "Certificate" else "served"
    if verdict.served:
        return [f"{Identity.of(live)} is {what}"]
    more = progress_words(live, around) if live["kind"] == "Certificate" and verdict.fails else []
    return [f"{Identity.of(live)} is not {what}: {verdict.text}", *more]


class ConditionWait:
    """The wait for one object. ``warning``: what is to be told although the wait goes on without it."""

    def __init__(
        self,
        connection: Connection,
        item: PlannedObject,
        around: Surroundings,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._item = item
        self._around = around
        self._clock = clock
        self._live: Mapping[str, Any] = item.current or {}
        self._verdict: Verdict | None = None
        self._since = 0.0
        self.is_over = self.has_failed = False
        self.has_news = False  # it is polled
        self.warning = ""

    @property
    def text(self) -> str:
        """What is waited for, in a line."""
        return f"{self._item.identity}: {self._verdict.text if self._verdict else 'not looked at yet'}"

    def look(self) -> None:
        """Judge what is there. The first look takes what a write has returned."""
        now = self._clock()
        if self._verdict or self._item.after is None:
            found = self._connection.find(self._item.path)
            if found is None:
                self._verdict, self.has_failed = Verdict(False, "somebody deleted it in the meantime"), True
                return
            self._live = found
        before = self._item.live if self._item.result == "updated" else None
        verdict = judge(self._live, self._around, before)
        # Of a refusal, the words may change with each attempt
        if self._verdict is None or (verdict.fails, verdict.limit) != (self._verdict.fails, self._verdict.limit):
            self._since = now
        self._verdict = verdict
        self.is_over = verdict.served
        if not verdict.served and verdict.limit is not None and now - self._since >= verdict.limit:
            self.is_over, self.has_failed = not verdict.fails, verdict.fails
            self.warning = "" if verdict.fails else _message(self._live, verdict, self._around)

    def failure_text(self) -> str:
        """Return the message about what ended the wait."""
        return _message(self._live, self._verdict, self._around) if self._verdict else ""

    def timeout_text(self) -> str:
        """Return the message about what is not served in time; empty where that is no failure."""
        if self._verdict and not self._verdict.fails:
            self.warning = _message(self._live, self._verdict, self._around)
            return ""
        return self.failure_text()


def waits_for(
    connection: Connection, planned: Iterable[PlannedObject], clock: Callable[[], float] = time.monotonic
) -> list[ConditionWait]:
    """Return a wait for each object of a kind that is served."""
    served = [item for item in planned if item.current and kind_of_body(item.desired).is_served]
    around = Surroundings(connection, issued_by([item.desired for item in served]))
    return [ConditionWait(connection, item, around, clock) for item in served]


def remarks(planned: Sequence[PlannedObject]) -> list[str]:
    """Return what controllers say of objects that nobody waits for, as far as their status tells. Costs no request."""
    served = [item for item in planned if kind_of_body(item.desired).is_served]
    around = Surroundings(None, issued_by([item.desired for item in served]))
    judged = [(item, judge(item.current, around)) for item in served if item.current]
    return [_message(item.desired, verdict, around) for item, verdict in judged if not verdict.served and verdict.fails]


def _message(live: Mapping[str, Any], verdict: Verdict, around: Surroundings) -> str:
    first, *more = evidence(live, verdict, around)
    end = "" if first.endswith(".") else "."
    return "\n".join([f"{first}{end} {verdict.hint}".rstrip(), *more])
