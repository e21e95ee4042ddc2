# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a release: taken, waited for, taken over, renewed, lost and given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import (
    LeaseLost,
    LockSettings,
    ReleaseLease,
)
from in_memory_cluster import InMemoryCluster

LEASE = "/apis/coordination.k8s.io/v1/namespaces/n/leases/agentsmith-release"
LONGEST = 30  # seconds
SETTINGS = LockSettings(duration=60, timeout=120)


class Clock:
    """A clock that moves when somebody sleeps; ``then`` happens at each sleep."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self.then = then

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds
        self.then()


@pytest.fixture
def cluster() -> InMemoryCluster:
    """A cluster with the namespace of the release."""
    cluster = InMemoryCluster()
    cluster.objects["/api/v1/namespaces/n"] = {"kind": "Namespace", "metadata": {"name": "n", "uid": "u"}}
    return cluster


def lease(
    cluster: InMemoryCluster, holder: str = "me", settings: LockSettings = SETTINGS, clock: Clock | None = None
) -> ReleaseLease:
    """Return the lock as a holder sees it."""
    clock = clock or Clock()
    return ReleaseLease(cluster, Owner("n", "agentsmith"), holder, settings, clock, clock.sleep)


def spec(cluster: InMemoryCluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.objects[LEASE]["spec"]
    return found


def test_a_free_lock_is_taken_with_one_write(cluster: InMemoryCluster) -> None:
    lock = lease(cluster)
    lock.acquire()
    assert cluster.writes == [f"POST {LEASE.rpartition('/')[0]}"]
    assert spec(cluster)["holderIdentity"] == "me"
    assert spec(cluster)["leaseDurationSeconds"] == 60
    assert not lock.was_left_behind and lock.predecessor == ""


def test_a_lock_is_waited_for_until_it_is_given_back(cluster: InMemoryCluster) -> None:
    first = lease(cluster, "first")
    first.acquire()
    clock = Clock(then=lambda: first.release() if clock.now >= 20 else None)
    lease(cluster, clock=clock).acquire()
    assert spec(cluster)["holderIdentity"] == "me" and spec(cluster)["leaseTransitions"] == 0
    assert 20 <= clock.now < 21


def test_a_lock_that_is_not_given_back_in_time_is_refused_and_names_the_holder(cluster: InMemoryCluster) -> None:
    holder = lease(cluster, "first")
    holder.acquire()
    clock = Clock(then=holder.renew)
    with pytest.raises(ApplyError) as refused:
        lease(cluster, clock=clock).acquire("Half of it was changed.")
    assert clock.now == 120
    for part in ("first has been deploying this release since 2", "agentsmith_lock_timeout", "Half of it was changed."):
        assert part in str(refused.value)
    assert spec(cluster)["holderIdentity"] == "first"


@pytest.mark.parametrize("skew", ["2000-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"])
def test_a_lock_passes_on_after_its_own_duration_by_the_clock_of_who_waits(cluster: InMemoryCluster, skew: str) -> None:
    lease(cluster, "first", LockSettings(duration=30)).acquire()
    spec(cluster)["renewTime"] = spec(cluster)["acquireTime"] = skew
    clock = Clock()
    lock = lease(cluster, clock=clock)
    lock.acquire()
    assert clock.now == 30
    assert spec(cluster)["holderIdentity"] == "me" and spec(cluster)["acquireTime"] != skew
    assert lock.was_left_behind and lock.predecessor == "first"


def test_a_lock_without_a_holder_is_taken_at_once(cluster: InMemoryCluster) -> None:
    lease(cluster, "first").acquire()
    cluster.objects[LEASE]["spec"] = {}
    clock = Clock()
    lease(cluster, clock=clock).acquire()
    assert clock.now == 0 and spec(cluster)["holderIdentity"] == "me"


def test_of_two_that_take_a_free_lock_one_waits(cluster: InMemoryCluster) -> None:
    other = lease(cluster, "other")

    def be_quicker(method: str, _path: str, _body: Any) -> None:
        if method == "POST":
            cluster.hook = lambda *_: None
            other.acquire()

    cluster.hook = be_quicker
    with pytest.raises(ApplyError, match="other has been deploying"):
        lease(cluster, settings=LockSettings(duration=60, timeout=0)).acquire()


def test_a_lock_whose_first_answer_was_lost_is_ours(cluster: InMemoryCluster) -> None:
    lease(cluster).acquire()
    clock, taken_at = Clock(), spec(cluster)["acquireTime"]
    again = lease(cluster, clock=clock)
    again.acquire()
    assert clock.now == 0 and spec(cluster)["acquireTime"] == taken_at
    assert not again.was_left_behind and again.predecessor == ""


@pytest.mark.parametrize("status", [403, 422])
def test_a_lock_that_is_refused_says_which_rights_it_takes(cluster: InMemoryCluster, status: int) -> None:
    def refuse(method: str, _path: str, _body: Any) -> None:
        if method == "POST":
            raise ApiError(status, "No", "not for you")

    cluster.hook = refuse
    with pytest.raises(ApplyError, match=r"Lease n/agentsmith-release was refused .*get, create, update and delete"):
        lease(cluster).acquire()


def test_a_renewal_keeps_the_time_of_the_acquisition(cluster: InMemoryCluster) -> None:
    lock = lease(cluster)
    lock.acquire()
    spec(cluster)["renewTime"] = "2000"
    taken_at = spec(cluster)["acquireTime"]
    lock.renew()
    assert spec(cluster)["renewTime"] != "2000" and spec(cluster)["acquireTime"] == taken_at


def test_a_lock_that_is_kept_is_renewed_until_the_run_ends(cluster: InMemoryCluster) -> None:
    renewed, threads = threading.Semaphore(0), threading.active_count()
    lock = lease(cluster, settings=LockSettings(duration=1))
    lock.acquire()
    cluster.hook = lambda method, _path, _body: renewed.release() if method == "PUT" else None
    with lock.kept():
        assert renewed.acquire(timeout=LONGEST) and renewed.acquire(timeout=LONGEST)
    assert threading.active_count() == threads


def test_a_renewal_during_an_outage_does_not_lose_the_lock(cluster: InMemoryCluster) -> None:
    outcomes = [ApiError(503, "", "away")]
    renewed = threading.Event()

    def answer(method: str, _path: str, _body: Any) -> None:
        if method == "PUT" and outcomes:
            raise outcomes.pop()
        renewed.set()

    lock = lease(cluster, settings=LockSettings(duration=1))
    lock.acquire()
    cluster.hook = answer
    with lock.kept():
        assert renewed.wait(LONGEST)
    assert not outcomes
    lock.check()


@pytest.mark.parametrize("deleted", [False, True])
def test_a_lock_that_has_passed_on_is_lost_for_good(cluster: InMemoryCluster, deleted: bool) -> None:
    lock = lease(cluster, settings=LockSettings(duration=1))
    lock.acquire()
    lock.check()
    if deleted:
        del cluster.objects[LEASE]
    else:
        lease(cluster, "other").acquire()
    with pytest.raises(LeaseLost, match="has passed to nobody, because" if deleted else "has passed to other"):
        lock.renew()
    with pytest.raises(LeaseLost, match=r"This run \(me\) stopped where it was"):
        lock.check()


def test_a_renewal_that_somebody_else_has_overtaken_is_repeated(cluster: InMemoryCluster) -> None:
    lock = lease(cluster)
    lock.acquire()
    cluster.objects[LEASE]["metadata"]["resourceVersion"] = "as after a label was set"
    lock.renew()
    assert cluster.log.count(f"PUT {LEASE}") == 2
    lock.check()


def test_a_later_task_goes_on_with_the_lock_and_no_other_one(cluster: InMemoryCluster) -> None:
    with pytest.raises(LeaseLost, match="nobody"):
        lease(cluster).adopt()
    lease(cluster).acquire()
    with pytest.raises(LeaseLost, match="has passed to me"):
        lease(cluster, "other").adopt()
    lease(cluster).adopt()
    assert cluster.writes[-1] == f"PUT {LEASE}"


def test_a_lock_is_given_back_by_its_holder_alone(cluster: InMemoryCluster) -> None:
    lock = lease(cluster)
    lock.release()
    lock.acquire()
    lease(cluster, "other").release()
    assert LEASE in cluster.objects
    lock.release()
    assert LEASE not in cluster.objects


def test_a_lock_that_another_run_takes_while_it_is_given_back_stays(cluster: InMemoryCluster) -> None:
    lock, other = lease(cluster), lease(cluster, "other", LockSettings(duration=0))
    lock.acquire()
    spec(cluster)["leaseDurationSeconds"] = 0

    def take(method: str, _path: str, _body: Any) -> None:
        if method == "DELETE":
            cluster.hook = lambda *_: None
            spec(cluster)["holderIdentity"] = ""
            other.acquire()

    cluster.hook = take
    lock.release()
    assert spec(cluster)["holderIdentity"] == "other"


def test_who_may_not_read_the_lock_takes_it_for_free(cluster: InMemoryCluster) -> None:
    assert lease(cluster).find() is None
    lease(cluster).acquire()
    found = lease(cluster, "other").find()
    assert found and found["spec"]["holderIdentity"] == "me"

    def refuse(_method: str, _path: str, _body: Any) -> None:
        raise ApiError(403, "Forbidden", "no")

    cluster.hook = refuse
    assert lease(cluster, "other").find() is None
