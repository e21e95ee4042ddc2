# SPDX-License-Identifier: GPL-3.0-or-later
"""The first part of a deploy: when it takes the lock, what it does under it in which order, and how it lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.write_permissions import NotPermitted
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain, JobsInFlight
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LeaseLost
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import RECORDED_AT
from in_memory_release import (
    ADDED,
    CONFIG_MAP,
    DISPATCHER,
    JOBS,
    LEASE,
    LEASES,
    NAMESPACE,
    RECORD,
    SECRET,
    InMemoryRelease,
    a_release,
)

FIRST, SECOND = a_release("app:1"), a_release("app:2")
DRAIN = Drain("agentsmith-dispatcher", timeout=1e-9)


def test_a_first_deploy_makes_the_namespace_then_the_lock_then_the_rest_in_waves(release: InMemoryRelease) -> None:
    run = release.apply(FIRST)
    writes = list(dict.fromkeys(release.cluster.writes))
    assert writes[:2] == [f"PATCH {NAMESPACE}", f"POST {LEASES}"]
    assert sorted(writes[2:4]) == [f"PATCH {CONFIG_MAP}", f"PATCH {SECRET}"]
    assert writes[4:] == [f"PATCH {DISPATCHER}"]
    assert run.result()["transaction"] == {"opened": True, "started": True, "holder": run.holder, "lost_call": {}}
    assert release.cluster.objects[LEASE]["spec"]["holderIdentity"] == run.holder


def test_an_unchanged_release_takes_no_lock_and_writes_nothing(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    run = release.apply(FIRST)
    assert release.cluster.writes == []
    assert run.result()["transaction"] == {"opened": False, "started": False, "holder": "", "lost_call": {}}
    assert not [line for line in release.cluster.log if line.startswith("POST")]


def admitted_with_another_image(body: dict[str, Any]) -> None:
    """Rewrite the Deployments, as a webhook would."""
    if body["kind"] == "Deployment":
        body["spec"]["template"]["spec"]["containers"][0]["image"] += "-mirrored"


def test_what_admission_rewrites_is_no_change(release: InMemoryRelease) -> None:
    release.cluster.admission = admitted_with_another_image
    release.deploy(FIRST)
    assert release.image() == "app:1-mirrored"
    run = release.apply(FIRST)
    assert release.cluster.writes == [] and not run.opened
    assert {entry["result"] for entry in run.result()["objects"]} == {"unchanged"}


def test_a_change_beside_what_admission_rewrites_waits_for_no_job(release: InMemoryRelease) -> None:
    release.cluster.admission = admitted_with_another_image
    release.deploy(FIRST)
    release.add_job()
    wanted = a_release("app:1", "added")
    release.commit(wanted, release.apply(wanted, drain=DRAIN).holder)
    assert f"PATCH {ADDED}" in release.cluster.writes and f"PATCH {DISPATCHER}" not in release.cluster.writes
    with pytest.raises(JobsInFlight):
        release.apply(SECOND, drain=DRAIN)


def test_an_unchanged_release_whose_pods_do_not_run_fails_without_a_lock(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.cluster.objects[DISPATCHER]["status"]["availableReplicas"] = 0
    with pytest.raises(ApplyError, match="wait_timeout"):
        release.apply(FIRST)
    assert release.cluster.writes == [] and not release.last.opened


def test_an_unchanged_release_that_is_not_recorded_is_locked_to_be_recorded(release: InMemoryRelease) -> None:
    release.apply(FIRST)
    del release.cluster.objects[LEASE]
    release.cluster.log.clear()
    run = release.apply(FIRST)
    assert run.opened and release.cluster.writes == [f"POST {LEASES}"]


def test_a_lock_that_was_left_behind_is_taken_over_though_nothing_differs(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.leave_a_lock_behind("dead")
    run = release.apply(FIRST)
    assert run.opened and release.cluster.writes == [f"PUT {LEASE}"]


def test_a_lock_of_another_run_leaves_everything_as_it_is(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    holder = release.apply(SECOND).holder
    release.cluster.log.clear()
    with pytest.raises(ApplyError, match=f"{holder} has been deploying this release"):
        release.apply(FIRST)
    assert release.cluster.writes == []
    assert release.last.result()["transaction"] == {"opened": True, "started": False, "holder": "", "lost_call": {}}


def test_what_changed_before_the_lock_was_taken_is_seen_under_it(release: InMemoryRelease) -> None:
    release.deploy(FIRST)

    def change(method: str, _path: str, _body: Any) -> None:
        if method == "POST" and _path == LEASES:
            del release.cluster.objects[SECRET]

    release.cluster.hook = change
    config = a_release("app:1")
    config[2]["data"] = {"agentsmith.yml": "changed"}
    run = release.apply(config)
    assert SECRET in release.cluster.objects
    results = {entry["kind"]: entry["result"] for entry in run.result()["objects"]}
    assert (results["Secret"], results["ConfigMap"]) == ("created", "updated")


def requests_under_the_lock(release: InMemoryRelease) -> list[str]:
    """Return what the last run asked and wrote after it had taken the lock."""
    log = release.cluster.log
    return log[log.index(f"POST {LEASES}") + 1 :]


def test_a_plan_that_still_holds_is_not_made_again(release: InMemoryRelease) -> None:
    release.deploy(a_release("app:1", "added"))
    release.apply(SECOND)
    assert sorted(release.cluster.dry_runs) == sorted([SECRET, CONFIG_MAP, DISPATCHER])
    looked = [line for line in requests_under_the_lock(release) if line.startswith("GET")]
    assert f"GET {SECRET}" in looked and f"GET {RECORD}" in looked and "GET /openapi/v3" not in looked


@pytest.mark.parametrize(
    "change",
    [
        lambda objects: objects[CONFIG_MAP]["metadata"].update(resourceVersion="of another"),
        lambda objects: objects.pop(CONFIG_MAP),
        lambda objects: objects[RECORD]["metadata"].update(annotations={RECORDED_AT: "later"}),
    ],
)
def test_a_plan_that_no_longer_holds_is_made_again(
    release: InMemoryRelease, change: Callable[[dict[str, Any]], Any]
) -> None:
    release.deploy(FIRST)

    def act(method: str, path: str, _body: Any) -> None:
        if method == "POST" and path == LEASES:
            change(release.cluster.objects)

    release.cluster.hook = act
    release.apply(SECOND)
    assert release.cluster.dry_runs.count(DISPATCHER) == 2


def test_a_plan_from_before_a_run_that_died_is_made_again(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.leave_a_lock_behind("dead")
    release.apply(SECOND)
    assert release.cluster.dry_runs.count(DISPATCHER) == 2


def test_jobs_in_flight_are_looked_for_under_the_lock_and_before_the_first_write(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.apply(SECOND, drain=DRAIN)
    log = release.cluster.log
    first_write = min(log.index(f"PATCH {path}") for path in (SECRET, CONFIG_MAP, DISPATCHER))
    assert log.index(f"POST {LEASES}") < log.index(f"GET {JOBS}") < first_write


def test_jobs_in_flight_stop_a_roll_before_it_has_started(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.add_job()
    with pytest.raises(JobsInFlight):
        release.apply(SECOND, drain=DRAIN)
    assert release.cluster.writes == [f"POST {LEASES}", f"DELETE {LEASE}"]
    assert release.last.opened and not release.last.started
    warned = release.apply(SECOND, drain=replace(DRAIN, timeout=0)).result()
    assert "agentsmith-1" in str(warned["warnings"]) and release.image() == "app:2"


@pytest.mark.parametrize("error", [ApiError(422, "Invalid", "no good"), KeyboardInterrupt()])
def test_a_deploy_that_fails_or_is_interrupted_gives_its_lock_back(
    release: InMemoryRelease, error: BaseException
) -> None:
    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("PATCH", DISPATCHER):
            raise error

    release.cluster.hook = refuse
    with pytest.raises(ApplyError if isinstance(error, ApiError) else KeyboardInterrupt):
        release.apply(FIRST)
    assert LEASE not in release.cluster.objects
    assert release.cluster.writes[-1] == f"DELETE {LEASE}"
    transaction = release.last.result()["transaction"]
    assert transaction["started"] and transaction["holder"]


def test_pods_that_do_not_start_are_a_failure_under_the_lock(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.cluster.pods_start = False
    with pytest.raises(ApplyError, match="agentsmith-dispatcher"):
        release.apply(SECOND)
    assert release.last.started and LEASE not in release.cluster.objects


def test_a_lock_that_cannot_be_given_back_is_a_warning_beside_the_cause(release: InMemoryRelease) -> None:
    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("PATCH", DISPATCHER):
            raise ApiError(422, "Invalid", "no good")
        if method == "DELETE":
            raise ApiError(403, "Forbidden", "no")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="no good"):
        release.apply(FIRST)
    assert "This run could not release its lock" in str(release.last.result()["warnings"])


def test_a_deploy_that_has_lost_its_lock_stops_before_its_next_wave(release: InMemoryRelease) -> None:
    release.deploy(FIRST)

    def lose(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("PATCH", SECRET):
            release.pass_the_lock_on("other")

    release.cluster.hook = lose
    with pytest.raises(LeaseLost, match="has passed to other"):
        release.apply(SECOND)
    assert f"PATCH {SECRET}" in release.cluster.writes
    assert release.image() == "app:1"
    assert release.cluster.objects[LEASE]["spec"]["holderIdentity"] == "other"


def test_what_is_no_longer_wanted_is_left_to_the_commit(release: InMemoryRelease) -> None:
    release.deploy(a_release("app:1", "added"))
    release.apply(FIRST)
    assert ADDED in release.cluster.objects


def test_a_preview_takes_no_lock_and_tells_of_jobs(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.add_job()

    def dry_run(method: str, _path: str, _body: Any) -> None:
        # The cluster in memory knows no dry run; who may not write is not tried.
        assert method == "GET" or "authorization" in _path

    release.cluster.hook = dry_run
    release.cluster.may_write = False
    run = release.apply(SECOND, drain=DRAIN, check_mode=True)
    warnings = " ".join(run.result()["warnings"])
    assert "agentsmith-1" in warnings and "A real run would be refused" in warnings
    assert run.opened and release.cluster.writes == []


def test_rights_that_lack_stop_a_deploy_before_its_lock(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.cluster.may_write = False
    with pytest.raises(NotPermitted, match=r"leases.*for Lease n/agentsmith-release, the lock"):
        release.apply(SECOND)
    assert release.cluster.writes == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_deploy_that_may_be_undone_asks_for_the_right_to_delete(release: InMemoryRelease, keep: bool) -> None:
    release.deploy(FIRST)
    release.cluster.may_write = False
    with pytest.raises(NotPermitted) as refused:
        release.apply(a_release("app:1", "added"), keep=keep)
    assert ("delete configmaps" in str(refused.value)) is not keep


def test_a_part_alone_leaves_the_other_objects_out_of_account(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    part = [FIRST[0], SECOND[2]]
    run = release.apply(part, complete=False)
    assert release.cluster.writes == [f"POST {LEASES}", f"PATCH {CONFIG_MAP}"]
    assert {entry["kind"] for entry in run.result()["objects"]} == {"Namespace", "ConfigMap"}
