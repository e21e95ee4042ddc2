# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: which recorded release comes back, when none does, and what is recorded then."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.write_permissions import NotPermitted
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain, JobsInFlight
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import (
    History,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import PREVIOUS, Releases
from in_memory_release import (
    ADDED,
    DISPATCHER,
    JOBS,
    LEASE,
    LEASES,
    NAMESPACE,
    RECORD,
    SECRET,
    InMemoryRelease,
    a_release,
    an_object,
)

FIRST, SECOND, BAD = a_release("app:1"), a_release("app:2"), a_release("app:bad", "added")
DRAIN = Drain("agentsmith-dispatcher", timeout=1e-9)
ONLY_THE_LOCK = [f"POST {LEASES}", f"DELETE {LEASE}"]


@pytest.fixture
def twice(release: InMemoryRelease) -> InMemoryRelease:
    """A release with a previous one."""
    release.deploy(FIRST)
    release.deploy(SECOND)
    return release


def without_history(releases: Releases) -> Releases:
    return replace(releases, history=History())


def test_a_failed_deploy_goes_back_to_the_last_good_release(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    before = release.recorded()
    holder = release.apply(BAD).holder
    release.cluster.log.clear()
    run = release.restore(holder=holder)
    assert release.image() == "app:1" and ADDED not in release.cluster.objects
    assert run.restored and "4 objects were written or deleted" in run.summary
    assert before.recorded_at in run.summary and before.recorded_by in run.summary
    assert without_history(release.recorded()) == without_history(before)
    # It goes on with the lock of the deploy, and gives it back last.
    assert release.cluster.writes[0] == f"PUT {LEASE}" and release.cluster.writes[-1] == f"DELETE {LEASE}"


def test_what_no_longer_is_wanted_goes_last(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    holder = release.apply(BAD).holder
    release.cluster.log.clear()
    release.restore(holder=holder)
    writes = release.cluster.writes
    assert writes.index(f"PATCH {DISPATCHER}") < writes.index(f"DELETE {ADDED}") < writes.index(f"DELETE {LEASE}")


def test_without_a_good_release_nothing_is_undone(release: InMemoryRelease) -> None:
    holder = release.apply(BAD).holder
    release.cluster.log.clear()
    run = release.restore(holder=holder)
    assert not run.restored and "No good release is recorded yet" in run.summary
    # The history is all that it writes
    assert release.cluster.writes == [f"PUT {LEASE}", f"PATCH {RECORD}", f"DELETE {LEASE}"]
    assert release.image() == "app:bad" and release.recorded().current is None


def test_what_is_to_be_kept_is_not_undone(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    holder = release.apply(BAD).holder
    run = release.restore(holder=holder, keep=True)
    assert not run.restored and "agentsmith_on_failure is keep" in run.summary
    assert release.image() == "app:bad" and LEASE not in release.cluster.objects


def test_a_failed_deploy_whose_lock_has_passed_on_is_not_undone_by_it(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    other = release.apply(BAD).holder
    release.cluster.log.clear()
    with pytest.raises(ApplyError, match=f"{other} has been deploying") as refused:
        release.restore(holder="me")
    assert "The changes of the failed run are still in the cluster." in str(refused.value)
    assert "Nothing was changed" not in str(refused.value)
    assert release.cluster.writes == [] and LEASE in release.cluster.objects


def test_the_way_back_waits_for_no_job_and_asks_for_no_rights(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    holder = release.apply(BAD).holder
    release.add_job()
    release.cluster.may_write = False
    release.cluster.log.clear()
    assert release.restore(holder=holder).restored
    assert f"GET {JOBS}" not in release.cluster.log
    assert not [line for line in release.cluster.log if "authorization.k8s.io" in line]


def test_the_previous_release_becomes_the_last_good_one_and_the_other_way_round(twice: InMemoryRelease) -> None:
    before = twice.recorded()
    run = twice.restore(PREVIOUS)
    assert run.restored and "The previous release is back." in run.summary and twice.image() == "app:1"
    after = twice.recorded()
    assert (after.current, after.previous, after.rolled_back) == (before.previous, before.current, True)
    writes = twice.cluster.writes
    assert writes[0] == f"POST {LEASES}" and writes[-2:] == [f"PATCH {RECORD}", f"DELETE {LEASE}"]
    assert twice.restore(PREVIOUS).restored and twice.image() == "app:2"


def test_it_is_said_that_the_values_of_a_secret_come_back(twice: InMemoryRelease) -> None:
    assert "The earlier values of the Secret agentsmith-secrets are back, too" in twice.restore(PREVIOUS).summary
    twice.deploy([body for body in FIRST if body["kind"] != "Deployment"] + [a_release("app:3")[3]])
    said = twice.restore(PREVIOUS).summary
    assert "to return to it, roll back once more" in said and "Secret" not in said


@pytest.mark.parametrize("deploys", [0, 1])
def test_without_a_previous_release_a_rollback_is_refused(release: InMemoryRelease, deploys: int) -> None:
    release.apply(FIRST[:1])
    del release.cluster.objects[LEASE]
    for _ in range(deploys):
        release.deploy(FIRST)
    release.cluster.log.clear()
    with pytest.raises(ApplyError, match=r"there is nothing to roll back to\. Nothing was changed"):
        release.restore(PREVIOUS)
    assert release.cluster.writes == (ONLY_THE_LOCK if deploys else [])


def test_a_previous_release_that_does_not_work_makes_room_for_the_present_one(twice: InMemoryRelease) -> None:
    before, secret = twice.recorded(), twice.cluster.objects[SECRET]["data"]

    def refuse(method: str, path: str, body: Any) -> None:
        if (method, path) == ("PATCH", DISPATCHER) and "app:1" in str(body):
            raise ApiError(422, "Invalid", "no longer allowed")

    twice.cluster.hook = refuse
    with pytest.raises(ApplyError, match=r"(?s)does not work: .*no longer allowed.*The present release is back\."):
        twice.restore(PREVIOUS)
    assert twice.cluster.writes.count(f"PATCH {SECRET}") == 2
    # The way back to the present one waits for no permission: it is asked for once.
    assert sum("selfsubjectrulesreviews" in line for line in twice.cluster.log) == 1
    assert twice.image() == "app:2" and twice.cluster.objects[SECRET]["data"] == secret
    assert without_history(twice.recorded()) == without_history(before)
    assert not twice.last.restored and LEASE not in twice.cluster.objects


def test_a_rollback_waits_for_jobs_before_its_first_write(twice: InMemoryRelease) -> None:
    twice.add_job()
    with pytest.raises(JobsInFlight):
        twice.restore(PREVIOUS, drain=DRAIN)
    assert twice.cluster.writes == ONLY_THE_LOCK
    warned = twice.restore(PREVIOUS, drain=replace(DRAIN, timeout=0))
    assert warned.restored and "agentsmith-1" in str(warned.result()["warnings"])


def test_a_rollback_asks_for_its_rights_before_its_first_write(twice: InMemoryRelease) -> None:
    twice.cluster.may_write = False
    with pytest.raises(NotPermitted, match="the record of the last good release"):
        twice.restore(PREVIOUS)
    assert twice.cluster.writes == ONLY_THE_LOCK


def test_a_preview_of_a_rollback_writes_nothing(twice: InMemoryRelease) -> None:
    twice.add_job()
    twice.cluster.may_write = False  # so that nothing is tried: the cluster in memory knows no dry run
    run = twice.restore(PREVIOUS, drain=DRAIN, check_mode=True)
    assert run.restored and "The previous release would be back." in run.summary
    assert not re.search(r"\b(is|are) (kept|back)\b", run.summary)
    assert twice.cluster.writes == [] and "agentsmith-1" in str(run.result()["warnings"])


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_a_release_a_rollback_says_so_and_takes_no_lock(release: InMemoryRelease, check_mode: bool) -> None:
    """Neither where none was, nor after a teardown: with the namespace or, with its history, in one that stays."""
    said = r"No good release is recorded in Secret n/agentsmith-release, .*nothing to roll back to.* Deploy "
    with pytest.raises(ApplyError, match=said):
        release.restore(PREVIOUS, check_mode=check_mode)
    release.deploy(FIRST)
    release.tear_down()
    assert NAMESPACE not in release.cluster.objects
    with pytest.raises(ApplyError, match=said):
        release.restore(PREVIOUS, check_mode=check_mode)
    namespace = an_object("v1", "Namespace", "n")
    namespace["metadata"] |= {"uid": "n", "labels": {}}
    release.cluster.objects[NAMESPACE] = namespace
    release.deploy(FIRST[1:])
    release.tear_down()
    assert RECORD in release.cluster.objects
    release.cluster.log.clear()
    with pytest.raises(ApplyError, match=said):
        release.restore(PREVIOUS, check_mode=check_mode)
    assert release.cluster.writes == []


@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_rollback_that_died_with_its_lock_alone_is_not_taken_back(twice: InMemoryRelease, rolled_back: bool) -> None:
    if rolled_back:
        twice.restore(PREVIOUS)
    image, holder = twice.image(), twice.recorded().recorded_by
    twice.leave_a_lock_behind(holder)
    twice.cluster.log.clear()
    run = twice.restore(PREVIOUS)
    assert run.restored
    if rolled_back:
        assert f"{holder} restored it, and died" in run.summary and twice.image() == image
        assert twice.cluster.writes == [f"PUT {LEASE}", f"DELETE {LEASE}"]
    else:
        assert twice.image() != image
