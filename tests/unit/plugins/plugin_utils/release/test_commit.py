# SPDX-License-Identifier: GPL-3.0-or-later
"""The good end of a deploy: what is deleted and recorded, and that the lock is given back whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LeaseLost
from in_memory_release import (
    ADDED,
    CONFIG_MAP,
    LABELS,
    LEASE,
    NAMESPACE,
    RECORD,
    InMemoryRelease,
    a_release,
)

FIRST, SECOND = a_release("app:1", "added"), a_release("app:2")


@pytest.fixture
def release() -> InMemoryRelease:
    """A release of which one ConfigMap is no longer wanted."""
    release = InMemoryRelease()
    release.deploy(FIRST)
    return release


def config_of(objects: list[dict[str, Any]] | None) -> str:
    """Tell which release the objects are."""
    (configuration,) = [body["data"] for body in objects or [] if body["metadata"]["name"] == "agentsmith-config"]
    return str(configuration["agentsmith.yml"])


def applied(release: InMemoryRelease, objects: list[dict[str, Any]] = SECOND, complete: bool = True) -> str:
    """Open a transaction, and forget its requests; return who holds the lock."""
    holder = release.apply(objects, complete).holder
    release.cluster.log.clear()
    return holder


def test_a_commit_prunes_then_records_then_gives_the_lock_back(release: InMemoryRelease) -> None:
    run = release.commit(SECOND, applied(release))
    assert release.cluster.writes == [f"PUT {LEASE}", f"DELETE {ADDED}", f"PATCH {RECORD}", f"DELETE {LEASE}"]
    assert (run.recorded, run.result()["changed"]) == (True, True)
    assert [(entry["name"], entry["result"]) for entry in run.result()["objects"]] == [("added", "deleted")]
    found = release.recorded()
    assert (config_of(found.current), config_of(found.previous)) == ("app:2", "app:1")


def test_a_release_that_is_recorded_already_is_not_written_again(release: InMemoryRelease) -> None:
    release.cluster.objects.pop(CONFIG_MAP)
    run = release.commit(FIRST, applied(release, FIRST))
    assert release.cluster.writes == [f"PUT {LEASE}", f"DELETE {LEASE}"]
    assert (run.recorded, run.result()["changed"]) == (False, False)


@pytest.mark.parametrize("holder", ["other", ""])
def test_a_commit_that_has_lost_the_lock_does_nothing(release: InMemoryRelease, holder: str) -> None:
    ours = applied(release)
    if holder:
        release.cluster.objects[LEASE]["spec"]["holderIdentity"] = holder
    else:
        del release.cluster.objects[LEASE]
    with pytest.raises(LeaseLost, match=f"has passed to {holder or 'nobody'}"):
        release.commit(SECOND, ours)
    assert release.cluster.writes == []
    assert ADDED in release.cluster.objects and (LEASE in release.cluster.objects) is bool(holder)


def test_a_commit_that_loses_the_lock_while_it_prunes_records_nothing(release: InMemoryRelease) -> None:
    holder = applied(release)

    def lose(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("DELETE", ADDED):
            release.pass_the_lock_on("other")

    release.cluster.hook = lose
    with pytest.raises(LeaseLost, match="has passed to other"):
        release.commit(SECOND, holder)
    assert f"PATCH {RECORD}" not in release.cluster.writes and not release.last.recorded
    assert release.cluster.objects[LEASE]["spec"]["holderIdentity"] == "other"


@pytest.mark.parametrize(("method", "path"), [("DELETE", ADDED), ("PATCH", RECORD), ("GET", RECORD)])
def test_a_commit_that_fails_records_nothing_and_gives_the_lock_back(
    release: InMemoryRelease, method: str, path: str
) -> None:
    holder = applied(release)

    def refuse(*request: Any) -> None:
        if request[:2] == (method, path):
            raise ApiError(403, "Forbidden", "no")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="403"):
        release.commit(SECOND, holder)
    release.cluster.hook = lambda *_: None
    assert LEASE not in release.cluster.objects
    assert config_of(release.recorded().current) == "app:1" and not release.last.recorded


def test_a_preview_of_a_commit_writes_nothing(release: InMemoryRelease) -> None:
    run = release.commit(SECOND, "", check_mode=True)
    assert release.cluster.writes == []
    assert run.recorded and [entry["name"] for entry in run.result()["objects"]] == ["added"]
    assert ADDED in release.cluster.objects


def test_a_part_prunes_nothing_and_replaces_its_namesakes_in_the_record(release: InMemoryRelease) -> None:
    part = [FIRST[0], SECOND[2]]
    run = release.commit(part, applied(release, part, complete=False), complete=False)
    assert run.recorded and ADDED in release.cluster.objects
    found = release.recorded()
    assert config_of(found.current) == "app:2" and len(found.current or []) == len(FIRST)


@pytest.mark.parametrize("died", [False, True])
def test_kinds_that_no_role_renders_are_looked_through_after_a_run_that_died(
    release: InMemoryRelease, died: bool
) -> None:
    pod = {"kind": "Pod", "metadata": {"name": "odd", "namespace": "n", "labels": LABELS, "uid": "odd"}}
    release.cluster.objects[f"{NAMESPACE}/pods/odd"] = pod
    if died:
        release.leave_a_lock_behind("dead")
    release.deploy(SECOND)
    assert (f"{NAMESPACE}/pods/odd" in release.cluster.objects) is not died
