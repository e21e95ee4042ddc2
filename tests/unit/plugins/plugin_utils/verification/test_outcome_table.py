# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of outcomes."""

from __future__ import annotations

from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import (
    FAILED,
    NOT_CHECKED,
    OK,
    Outcome,
    judged,
    table,
)


def test_columns_are_aligned_and_hints_follow() -> None:
    outcomes = [
        Outcome("health", OK, "200 in 0.01 s"),
        Outcome("challenge", FAILED, "401\n\nsecond line", "Deploy."),
        Outcome("redis_ping", NOT_CHECKED, ""),
    ]
    assert table(outcomes) == [
        "CHECK       RESULT       EVIDENCE",
        "health      ok           200 in 0.01 s",
        "challenge   failed       401",
        "",
        "                         second line",
        "                         -> Deploy.",
        "redis_ping  not checked",
    ]


def test_a_good_result_has_no_hint() -> None:
    assert judged("health", True, "200", "Deploy.") == Outcome("health", OK, "200")
    assert judged("health", False, "500", "Deploy.") == Outcome("health", FAILED, "500", "Deploy.")
