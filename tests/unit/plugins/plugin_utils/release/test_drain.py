# SPDX-License-Identifier: GPL-3.0-or-later
"""For which changes of the Dispatcher Jobs are waited for, and how the wait ends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import Path
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import (
    Drain,
    JobsInFlight,
    wait_for_jobs,
)
from fake_connection import FakeConnection

JOBS = "/apis/batch/v1/namespaces/n/jobs"


def planned(*paths: Path, name: str = "agentsmith-dispatcher", result: str = "updated") -> list[PlannedObject]:
    """Return a plan for a Deployment that differs at *paths*."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "n"}}
    return [PlannedObject(body, "", {}, result, paths=list(paths))]


def job(name: str, *conditions: str) -> dict[str, Any]:
    """Return a Job with conditions that hold."""
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": c, "status": "True"} for c in conditions]}}


@pytest.mark.parametrize(
    ("plan", "rolls"),
    [
        (planned(("spec", "template", "spec", "containers", "[name=x]", "image")), True),
        (planned(("spec", "template")), True),
        # As a whole: of a Deployment that others made, we have stated nothing yet
        (planned(("spec",)), True),
        (planned(("spec", "replicas"), ("metadata", "labels", "x")), False),
        (planned(("spec", "templates")), False),
        (planned(("spec", "template"), name="redis"), False),
        (planned(result="created"), False),
        (planned(result="unchanged"), False),
    ],
)
def test_which_changes_replace_the_pods(plan: list[PlannedObject], rolls: bool) -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}})
    assert bool(wait_for_jobs(connection, Drain("agentsmith-dispatcher"), plan)) is rolls


def test_the_wait_ends_with_the_last_job() -> None:
    answers = [[job("agentsmith-1"), job("agentsmith-2")], [job("agentsmith-1", "Failed"), job("agentsmith-2")], []]
    connection = FakeConnection({JOBS: lambda: {"items": answers.pop(0)}})
    drain = Drain("agentsmith-dispatcher", timeout=60)
    assert wait_for_jobs(connection, drain, planned(("spec", "template")), sleep=lambda _: None) == []
    assert answers == []


def test_a_long_wait_names_the_jobs() -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}})
    times, said = iter(range(0, 60, 8)), list[str]()
    drain = Drain("agentsmith-dispatcher", timeout=20)
    with pytest.raises(JobsInFlight):
        plan = planned(("spec", "template"))
        wait_for_jobs(connection, drain, plan, lambda: next(times), lambda _: None, said.append)
    assert said[0].startswith(
        "Waiting until Deployment n/agentsmith-dispatcher may roll: the Job agentsmith-1 is in flight"
    )


def test_the_wait_has_an_end() -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-2"), job("agentsmith-1"), job("done", "Complete")]}})
    times = iter(range(0, 60, 2))
    with pytest.raises(JobsInFlight, match=r"after 5 s \(dispatcher_drain_timeout\) the Jobs agentsmith-1, agentsmith"):
        wait_for_jobs(
            connection,
            Drain("agentsmith-dispatcher", timeout=5),
            planned(("spec", "template")),
            clock=lambda: next(times),
            sleep=lambda _: None,
        )
