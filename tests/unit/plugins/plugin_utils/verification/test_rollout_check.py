# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Deployment runs what it states."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.pods_ready import check_rollout

COMPLETE = {"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis", "generation": 4},
        "spec": {"replicas": 2},
        "status": {**COMPLETE, **status},
    }


@pytest.mark.parametrize(
    ("live", "intended", "result", "words"),
    [
        (deployment(), True, "ok", "generation 4, 2 available"),
        (deployment(), False, "ok", "generation 4"),
        (deployment(observedGeneration=3), True, "failed", "has not seen the change"),
        (deployment(availableReplicas=1), True, "failed", "1 available"),
        (deployment(replicas=3), True, "failed", "1 old one left"),
        (None, True, "failed", "does not exist"),
        (None, False, "not checked", "no Deployment redis"),
    ],
)
def test_verdict(live: dict[str, Any] | None, intended: bool, result: str, words: str) -> None:
    outcome = check_rollout("redis_rollout", "redis", live, intended)
    assert outcome.result == result
    assert words in outcome.evidence


def test_a_failure_shows_the_diagnosis() -> None:
    outcome = check_rollout("redis_rollout", "redis", deployment(availableReplicas=0), True, "pod redis-1: OOMKilled")
    assert outcome.evidence.endswith("\npod redis-1: OOMKilled")


def test_a_failure_names_the_variables_to_change_if_it_knows_them() -> None:
    live = deployment(availableReplicas=0)
    assert check_rollout("redis_rollout", "redis", live, True, "", "Check redis_image.").hint == "Check redis_image."
    assert "evidence" in check_rollout("redis_rollout", "redis", live, True).hint
