# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of the Dispatcher."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils.http_over_socket import Answer
from ansible_collections.agentsmith.platform.plugins.module_utils.verification import dispatcher


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, '{"status":"ok","timestamp":"now"}', "ok"),
        (200, '{"status":"degraded"}', "failed"),
        (200, "<html>", "failed"),
        (200, "[]", "failed"),
        (503, '{"status":"ok"}', "failed"),
    ],
)
def test_health(status: int, body: str, result: str) -> None:
    outcome = dispatcher.check_health("health", Answer(status, body, 0.01))
    assert (outcome.result, outcome.evidence) == (result, f"{status} in 0.01 s")


@pytest.mark.parametrize(
    ("status", "body", "elapsed", "result", "hint"),
    [
        (200, '{"challenge":"abc"}', 0.1, "ok", ""),
        (200, '{"challenge":"xyz"}', 0.1, "failed", "challenge back"),
        (200, "", 0.1, "failed", "challenge back"),
        (200, '{"challenge":"abc"}', 3.1, "failed", "within 3 s"),
        (401, "", 0.1, "failed", "another signing secret"),
    ],
)
def test_signed_challenge(status: int, body: str, elapsed: float, result: str, hint: str) -> None:
    outcome = dispatcher.check_challenge("challenge", "abc", Answer(status, body, elapsed))
    assert outcome.result == result
    assert hint in outcome.hint


@pytest.mark.parametrize(
    ("status", "elapsed", "result", "hint"),
    [
        (401, 0.1, "ok", ""),
        (401, 3.1, "failed", "within 3 s"),
        (200, 0.1, "failed", "Anybody can start Jobs"),
        (500, 0.1, "failed", "refused with 401"),
    ],
)
def test_wrong_signature(status: int, elapsed: float, result: str, hint: str) -> None:
    outcome = dispatcher.check_wrong_signature("wrong_signature", Answer(status, "", elapsed))
    assert outcome.result == result
    assert hint in outcome.hint
