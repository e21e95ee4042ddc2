# SPDX-License-Identifier: GPL-3.0-or-later
"""For which changes of the Dispatcher and of Redis Jobs are waited for, and how the wait ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import Path
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import (
    STARTING,
    Drain,
    JobsInFlight,
    wait_for_jobs,
)
from fake_connection import FakeConnection

JOBS = "/apis/batch/v1/namespaces/n/jobs"
PODS = "/api/v1/namespaces/n/pods"
DRAIN = Drain("agentsmith-dispatcher", timeout=20, redis="redis")


def planned(*paths: Path, name: str = "agentsmith-dispatcher", result: str = "updated") -> list[PlannedObject]:
    """Return a plan for a Deployment that differs at *paths*."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "n"}}
    live = {"spec": {"selector": {"matchLabels": {"app": name}}}}
    return [PlannedObject(body, "", live, result, paths=list(paths))]


def job(name: str, *conditions: str) -> dict[str, Any]:
    """Return a Job with conditions that hold."""
    metadata = {"name": name, "creationTimestamp": "2026-01-01T12:00:00Z"}
    return {"metadata": metadata, "status": {"conditions": [{"type": c, "status": "True"} for c in conditions]}}


def pod(**state: Any) -> dict[str, Any]:
    """Return a pod of the Dispatcher whose container is in a state, by Kubernetes' name for it."""
    spec = {"containers": [{"name": "dispatcher"}]}
    statuses = [{"name": "dispatcher", "state": state}] if state else []
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"containerStatuses": statuses}}


LISTENING = pod(running={"startedAt": "2026-01-01T12:00:00Z"})
LATER = pod(running={"startedAt": "2026-01-01T12:00:01Z"})
CRASHED = pod(waiting={"reason": "CrashLoopBackOff"})


@pytest.mark.parametrize(
    ("plan", "rolls"),
    [
        (planned(("spec", "template", "spec", "containers", "[name=x]", "image")), True),
        (planned(("spec", "template")), True),
        # As a whole: of a Deployment that others made, we have stated nothing yet
        (planned(("spec",)), True),
        (planned(("spec", "replicas"), ("metadata", "labels", "x")), False),
        (planned(("spec", "templates")), False),
        (planned(("spec", "template"), name="redis"), True),
        (planned(("spec", "replicas"), name="redis"), False),
        (planned(("spec", "template"), name="redis-exporter"), False),
        (planned(result="created"), False),
        (planned(result="unchanged"), False),
    ],
)
def test_which_changes_replace_the_pods(plan: list[PlannedObject], rolls: bool) -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LISTENING]}})
    assert bool(wait_for_jobs(connection, replace(DRAIN, timeout=0), plan)) is rolls


def test_a_release_without_redis_waits_for_none() -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LISTENING]}})
    drain = Drain("agentsmith-dispatcher")
    assert not wait_for_jobs(connection, drain, planned(("spec", "template"), name="redis"))


def test_what_rolls_is_named() -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LISTENING]}})
    redis = planned(("spec", "template"), name="redis")
    (alone,) = wait_for_jobs(connection, DRAIN.previewed(), redis)
    (both,) = wait_for_jobs(connection, DRAIN.previewed(), [*redis, *planned(("spec", "template"))])
    assert "waits before Deployment n/redis rolls, for" in alone
    assert "waits before Deployment n/redis and Deployment n/agentsmith-dispatcher roll, for" in both


def test_who_listens_is_asked_of_the_dispatchers_pods_where_redis_rolls() -> None:
    selectors = list[str]()

    class AskedConnection(FakeConnection):
        def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = "") -> Response:
            if path == PODS:
                selectors.append((query or {})["labelSelector"])
            return super().get(path, query, accept)

    connection = AskedConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LATER]}})
    plan = [*planned(("spec", "template"), name="redis"), *planned(result="unchanged")]
    assert wait_for_jobs(connection, DRAIN, plan) == []
    assert selectors == ["app=agentsmith-dispatcher"]


def test_the_wait_ends_with_the_last_job() -> None:
    answers = [[job("agentsmith-1"), job("agentsmith-2")], [job("agentsmith-1", "Failed"), job("agentsmith-2")], []]
    connection = FakeConnection({JOBS: lambda: {"items": answers.pop(0)}, PODS: {"items": [LISTENING]}})
    drain = Drain("agentsmith-dispatcher", timeout=60)
    assert wait_for_jobs(connection, drain, planned(("spec", "template")), sleep=lambda _: None) == []
    assert answers == []


def test_a_long_wait_names_the_jobs() -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LISTENING]}})
    times, said = iter(range(0, 60, 8)), list[str]()
    with pytest.raises(JobsInFlight):
        plan = planned(("spec", "template"))
        wait_for_jobs(connection, DRAIN, plan, lambda: next(times), lambda _: None, said.append)
    assert said[0].startswith(
        "Waiting until Deployment n/agentsmith-dispatcher may roll: the Job agentsmith-1 is in flight"
    )


def test_the_wait_has_an_end() -> None:
    jobs = [job("agentsmith-2"), job("agentsmith-1"), job("done", "Complete")]
    connection = FakeConnection({JOBS: {"items": jobs}, PODS: {"items": [LISTENING]}})
    times = iter(range(0, 60, 2))
    with pytest.raises(JobsInFlight, match=r"after 5 s \(dispatcher_drain_timeout\) the Jobs agentsmith-1, agentsmith"):
        wait_for_jobs(
            connection,
            Drain("agentsmith-dispatcher", timeout=5),
            planned(("spec", "template")),
            clock=lambda: next(times),
            sleep=lambda _: None,
        )


@pytest.mark.parametrize(
    ("pods", "waits"),
    [
        ([LISTENING], True),
        ([LATER, LISTENING], True),
        ([pod()], True),  # its kubelet has said nothing yet
        ([pod(running={})], True),
        ([LATER], False),
        ([CRASHED], False),
        ([pod(terminated={"exitCode": 1}), LATER], False),
        ([], False),
    ],
)
def test_a_job_that_no_dispatcher_listens_to_any_more_is_not_waited_for(
    pods: list[dict[str, Any]], waits: bool
) -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": pods}})
    times = iter(range(0, 60, 8))
    try:
        found = wait_for_jobs(connection, DRAIN, planned(("spec", "template")), lambda: next(times), lambda _: None)
    except JobsInFlight:
        assert waits
    else:
        assert found == [] and not waits


@pytest.mark.parametrize(
    ("timeout", "text"),
    [
        (20, "waits before Deployment n/agentsmith-dispatcher rolls, for up to 20 s (dispatcher_drain_timeout)"),
        (0, "dispatcher_drain_timeout is 0, so nobody waits for them"),
    ],
)
def test_a_preview_tells_of_the_wait_without_waiting(timeout: float, text: str) -> None:
    connection = FakeConnection({JOBS: {"items": [job("agentsmith-1")]}, PODS: {"items": [LISTENING]}})
    drain = Drain("agentsmith-dispatcher", timeout).previewed()
    (warning,) = wait_for_jobs(connection, drain, planned(("spec", "template")))
    assert text in warning and "the Job agentsmith-1 is in flight" in warning


@pytest.mark.parametrize("ready", [0, 1])
def test_a_job_whose_pod_does_not_start_is_waited_for_no_longer_than_it_takes_to_start(ready: int) -> None:
    waiting = job("agentsmith-1")
    waiting["status"]["ready"] = ready
    connection = FakeConnection({JOBS: {"items": [waiting]}, PODS: {"items": [LISTENING]}})
    drain, times = replace(DRAIN, timeout=1800), list(range(0, 2000, 7))
    clock = iter(times)
    plan = planned(("spec", "template"))
    if ready:
        with pytest.raises(JobsInFlight):
            wait_for_jobs(connection, drain, plan, lambda: next(clock), lambda _: None)
    else:
        assert wait_for_jobs(connection, drain, plan, lambda: next(clock), lambda _: None) == []
        assert STARTING <= next(clock) < STARTING + 3 * 7
