# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether finished Jobs go away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.jobs_probes import check_job_ttl

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def a_job(name: str, ttl: int | None = 300, condition: str = "", since: str = "") -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True", "lastTransitionTime": since}] if condition else []
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("jobs", "result", "words"),
    [
        ([], "ok", "0 Jobs, 0 finished"),
        ([a_job("runs")], "ok", "1 Job, 0 finished"),
        ([a_job("done", 300, "Complete", "2026-01-02T11:55:01Z")], "ok", "1 Job, 1 finished"),
        ([a_job("graced", 300, "Complete", "2026-01-02T11:54:30Z")], "ok", "1 finished"),
        ([a_job("late", 300, "Complete", "2026-01-02T11:53:00Z")], "failed", "late should be gone"),
        ([a_job("failed", 10, "Failed", "2026-01-02T11:58:00Z")], "failed", "failed should be gone"),
        ([a_job("ends", 10, "SuccessCriteriaMet", "2026-01-02T11:00:00Z")], "ok", "0 finished"),
        ([a_job("endless", None)], "failed", "endless has no ttlSecondsAfterFinished"),
    ],
)
def test_verdict(jobs: list[dict[str, Any]], result: str, words: str) -> None:
    outcome = check_job_ttl("job_ttl", jobs, NOW)
    assert outcome.result == result
    assert words in outcome.evidence
