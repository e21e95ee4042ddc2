# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the fault table, and the requests of a deploy that they hit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fault_proxy import Fault

# Requests of a whole deploy that are sent once in every run, whatever else is concurrent with them.
FIRST = {"method": ""}
SECOND = {"method": "", "skip": 1}
NAMESPACE = {"method": "PATCH", "path": "/api/v1/namespaces/"}
SECRET = {"method": "PATCH", "path": "/secrets/agentsmith-secrets"}
# Read for the plan, for the plan under the lock, and then to see how far the rollout is.
POLL = {"method": "GET", "path": "/deployments/redis", "skip": 2}
RECORD = {"method": "PATCH", "path": "/secrets/agentsmith-release"}
# Asked at the start of the apply, and of the commit, which is a task of its own.
COMMIT = {"method": "GET", "path": "/version", "skip": 1}
LOCK_GIVEN_BACK = {"method": "DELETE", "path": "/leases/"}
POSITIONS = {"first": FIRST, "middle": SECRET, "waiting": POLL, "commit": COMMIT, "last": LOCK_GIVEN_BACK}
WRITES = {"first": NAMESPACE, "middle": SECRET, "last": RECORD}
AFTER_CONTACT = {**POSITIONS, "first": SECOND}

OUTAGE = 60.0  # seconds


@dataclass(frozen=True)
class Case:
    """One fault: its name in the table, what it does, and which requests it may hit, by position."""

    name: str
    fault: dict[str, Any]
    positions: dict[str, dict[str, Any]]

    def at(self, position: str, hook: Callable[[], None] = lambda: None) -> Fault:
        """Return the fault for one request."""
        return Fault(**{**self.positions[position], **self.fault}, hook=hook)


CASES = [
    Case(f"API server away for {OUTAGE:g} s after first contact", {"away": OUTAGE}, AFTER_CONTACT),
    Case("429 with Retry-After", {"status": 429, "headers": {"Retry-After": "1"}}, POSITIONS),
    Case("429 without Retry-After", {"status": 429}, POSITIONS),
    Case("500", {"status": 500}, POSITIONS),
    Case("503", {"status": 503}, POSITIONS),
    Case("connection refused for 1 s", {"away": 1.0}, POSITIONS),
    Case("connection reset before the request arrived", {"drop": "before"}, POSITIONS),
    Case("connection reset after it was carried out", {"drop": "after"}, POSITIONS),
    Case("answer cut off half way", {"drop": "amid"}, POSITIONS),
    Case("answer 2 s late", {"delay": 2.0}, POSITIONS),
    Case("401, the token has expired", {"status": 401}, POSITIONS),
    Case("409, somebody else wrote at the same time", {"status": 409, "reason": "Conflict"}, WRITES),
]

# What other tools are compared by: one ConfigMap, whose first read or write is spoilt.
_CODES = {str(code): {"status": code, "headers": {"Retry-After": "1"}} for code in (429, 503, 500)}
_SPOILT = {**_CODES, "connection dropped": {"drop": "before"}}
ONE_OBJECT = [
    Case(f"{what}, {fault}", spoilt, {"first": {"method": method, "path": "/configmaps/"}})
    for what, method in (("write", "PATCH"), ("read", "GET"))
    for fault, spoilt in _SPOILT.items()
]
