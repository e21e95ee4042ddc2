# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of a release: what each run leaves in it, what it never holds, and how large it may become."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import history
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import (
    DEPLOY,
    FAILED,
    LARGEST,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_CHANGES,
    MOST_ENTRIES,
    MOST_NAMES,
    ROLLBACK,
    ROLLED_BACK,
    SUCCEEDED,
    TEARDOWN,
    Account,
    Entry,
    History,
    Origin,
    collection_version,
    inventory_commit,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LeaseLost
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import PREVIOUS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.restore import Failure
from in_memory_release import (
    ADDED,
    CONFIG_MAP,
    DISPATCHER,
    LEASE,
    NAMESPACE,
    RECORD,
    InMemoryRelease,
    a_release,
    an_object,
)

FIRST, SECOND, THIRD, BAD = a_release("app:1"), a_release("app:2", "added"), a_release("app:3"), a_release("app:bad")


def fail(release: InMemoryRelease, objects: Any = BAD, **settings: Any) -> Entry:
    """Deploy what fails, and undo it; return the entry."""
    run = release.apply(objects)
    failure = Failure(run.result()["objects"], "Deployment agentsmith-dispatcher does not start")
    release.restore(holder=run.holder, failure=failure, **settings)
    return entries(release)[-1]


def entries(release: InMemoryRelease) -> tuple[Entry, ...]:
    return release.recorded().history.entries


def told(entry: Entry) -> list[str]:
    return [f"{change['kind']}/{change['name']} {change['result']}" for change in entry.changes]


def test_a_deploy_leaves_an_entry_in_the_write_that_records_it(release: InMemoryRelease) -> None:
    release.origin = Origin("OPS-1: a new image")
    release.deploy(FIRST)
    opened = release.apply(SECOND)
    release.cluster.log.clear()
    run = release.commit(SECOND, opened.holder, applied=opened.result()["objects"])
    assert release.cluster.writes == [f"PUT {LEASE}", f"PATCH {RECORD}", f"DELETE {LEASE}"]
    first, second = entries(release)
    assert (second.revision, second.action, second.outcome, second.release) == (2, DEPLOY, SUCCEEDED, 2)
    assert second.by == opened.holder.partition(" run ")[0] and second.by
    assert second.reason == "OPS-1: a new image" and second.version == collection_version()
    assert second.images == ["app:2"]
    assert told(second) == [
        "Secret/agentsmith-secrets updated",
        "ConfigMap/agentsmith-config updated",
        "Deployment/agentsmith-dispatcher updated",
        "ConfigMap/added created",
    ]
    assert {change["result"] for change in first.changes} == {"created"}
    assert run.result()["entry"] == second.as_dict()


def test_what_was_given_beside_the_inventory_is_named_within_bounds(release: InMemoryRelease) -> None:
    names = ["x" * 1000, *(f"variable_{number:03}" for number in range(MOST_NAMES + 4))]
    release.origin = Origin("OPS-1", "", names, ("redis",), ("quota",))
    release.deploy(FIRST)
    (entry,) = entries(release)
    assert entry.extra_variables == sorted(names)[:MOST_NAMES] and entry.more_extra_variables == 5
    assert (entry.tags, entry.skip_tags) == (["redis"], ["quota"])
    long_name = Account(DEPLOY, Origin("", "", ["x" * 1000]), "me@here", [], str).entry(1, 1, SUCCEEDED, [])
    assert len(long_name.extra_variables[0]) <= LONGEST_NAME


def test_a_name_that_quotes_a_value_is_masked() -> None:
    account = Account(DEPLOY, Origin("", "", ["MARKED"], ["MARKED"]), "me@here", [], lambda _text: "****")
    entry = account.entry(1, 1, SUCCEEDED, [])
    assert "MARKED" not in json.dumps(entry.as_dict())


def test_a_rollback_tells_which_releases_it_goes_between(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.deploy(SECOND)
    release.restore(PREVIOUS)
    deployed, rolled = entries(release)[-2:]
    assert (deployed.from_release, deployed.to_release) == (0, 0)
    assert (rolled.action, rolled.from_release, rolled.to_release, rolled.release) == (ROLLBACK, 2, 1, 1)
    release.restore(PREVIOUS)
    back = entries(release)[-1]
    assert (back.from_release, back.to_release, back.release) == (1, 2, 2)


def test_an_unchanged_deploy_leaves_none_and_writes_nothing(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    assert not release.apply(FIRST).opened
    assert release.cluster.writes == [] and len(entries(release)) == 1


def test_a_deploy_that_takes_back_what_somebody_changed_leaves_one_though_the_release_is_the_same(
    release: InMemoryRelease,
) -> None:
    release.deploy(FIRST)
    recorded = release.recorded()
    release.cluster.objects.pop(CONFIG_MAP)
    run = release.deploy(FIRST)
    assert told(entries(release)[-1]) == ["ConfigMap/agentsmith-config created"]
    assert (entries(release)[-1].revision, entries(release)[-1].release) == (2, 1)
    after = release.recorded()
    assert not run.recorded
    assert (after.current, after.previous, after.recorded_at) == (recorded.current, None, recorded.recorded_at)


def test_what_a_commit_prunes_is_told(release: InMemoryRelease) -> None:
    release.deploy(SECOND)
    release.deploy(a_release("app:2"))
    assert told(entries(release)[-1]) == ["ConfigMap/added deleted"]


@pytest.mark.parametrize("earlier", [False, True])
def test_a_failed_deploy_leaves_one_with_its_cause(release: InMemoryRelease, earlier: bool) -> None:
    if earlier:
        release.deploy(FIRST)
    entry = fail(release)
    assert (entry.outcome, entry.release) == ((ROLLED_BACK, 1) if earlier else (FAILED, 0))
    assert entry.cause == "Deployment agentsmith-dispatcher does not start"
    assert "Deployment/agentsmith-dispatcher " in " ".join(told(entry))
    assert entry.images == (["app:1"] if earlier else [])
    release.deploy(THIRD)
    assert [each.revision for each in entries(release)] == list(range(1, 3 + earlier))
    assert release.recorded().history.current == entries(release)[-1].revision


def test_a_failed_deploy_whose_changes_stay_is_marked_as_such(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    assert fail(release, keep=True).outcome == FAILED
    assert release.recorded().unfinished


def test_a_failed_deploy_whose_way_back_fails_is_marked_as_such(release: InMemoryRelease) -> None:
    release.deploy(FIRST)

    def refuse(method: str, path: str, body: Any) -> None:
        if (method, path) == ("PATCH", DISPATCHER) and "app:1" in str(body):
            raise ApiError(403, "Forbidden", "no")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="403"):
        fail(release)
    assert entries(release)[-1].outcome == FAILED and release.recorded().unfinished


def test_a_failed_prune_leaves_one(release: InMemoryRelease) -> None:
    release.deploy(SECOND)

    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("DELETE", ADDED):
            raise ApiError(403, "Forbidden", "no")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="403"):
        release.deploy(THIRD)
    assert (entries(release)[-1].outcome, entries(release)[-1].release) == (FAILED, 1)
    assert "403" in entries(release)[-1].cause
    assert release.last.result()["entry"] == entries(release)[-1].as_dict()


def test_a_run_that_has_lost_its_lock_leaves_none(release: InMemoryRelease) -> None:
    release.deploy(SECOND)
    opened = release.apply(THIRD)

    def lose(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("DELETE", ADDED):
            release.pass_the_lock_on("other")

    release.cluster.hook = lose
    with pytest.raises(LeaseLost):
        release.commit(THIRD, opened.holder, applied=opened.result()["objects"])
    assert len(entries(release)) == 1


def test_a_history_that_cannot_be_written_fails_no_way_back(release: InMemoryRelease) -> None:
    release.deploy(FIRST)

    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("PATCH", RECORD):
            raise ApiError(403, "Forbidden", "no")

    opened = release.apply(BAD)
    release.cluster.hook = refuse
    run = release.restore(holder=opened.holder)
    assert run.restored and run.entry is None
    assert "history does not tell of this run" in str(run.result()["warnings"])


def test_a_rollback_leaves_one_and_the_revisions_follow_the_releases(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.deploy(SECOND)
    release.origin = Origin("back")
    run = release.restore(PREVIOUS)
    entry = entries(release)[-1]
    assert (entry.revision, entry.action, entry.outcome, entry.release) == (3, ROLLBACK, SUCCEEDED, 1)
    assert (entry.reason, entry.images) == ("back", ["app:1"])
    assert "ConfigMap/added deleted" in told(entry) and run.result()["entry"] == entry.as_dict()
    recorded = release.recorded().history
    assert (recorded.current, recorded.previous) == (1, 2)
    release.deploy(THIRD)
    recorded = release.recorded().history
    assert (recorded.current, recorded.previous) == (4, 1)


def test_a_rollback_that_fails_leaves_one(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.deploy(SECOND)

    def refuse(method: str, path: str, body: Any) -> None:
        if (method, path) == ("PATCH", DISPATCHER) and "app:1" in str(body):
            raise ApiError(422, "Invalid", "no longer allowed")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="The present release is back"):
        release.restore(PREVIOUS)
    entry = entries(release)[-1]
    assert (entry.action, entry.outcome, entry.release) == (ROLLBACK, ROLLED_BACK, 2)
    assert "no longer allowed" in entry.cause


def test_a_rollback_takes_a_revision_whose_objects_are_kept(release: InMemoryRelease) -> None:
    release.deploy(FIRST)
    release.deploy(SECOND)
    assert release.restore(PREVIOUS, revision=1).restored and release.image() == "app:1"
    # Revision 3 is that rollback: it has the same objects, and so does revision 1
    release.cluster.log.clear()
    for same in (1, 3):
        run = release.restore(PREVIOUS, revision=same)
        assert run.restored and "is the present release. Nothing was changed" in run.summary
    assert f"PATCH {RECORD}" not in release.cluster.writes
    assert release.restore(PREVIOUS, revision=2).restored and release.image() == "app:2"


def test_a_rollback_refuses_a_revision_that_it_cannot_go_to(release: InMemoryRelease, repository: Path) -> None:
    release.origin = Origin(inventory=str(repository))
    for objects in (FIRST, SECOND, THIRD):
        release.deploy(objects)
    fail(release)
    release.cluster.log.clear()
    refusals = {
        1: f"objects of revision 1 are no longer kept.*check out the commit {inventory_commit(str(repository))[0]}",
        4: r"Revision 4 \(deploy, rolled_back\) left no release",
        7: "Revision 7 is not in the history",
        -1: "Revision -1 is not in the history",
    }
    for revision, text in refusals.items():
        with pytest.raises(ApplyError, match=text) as refused:
            release.restore(PREVIOUS, revision=revision)
        assert "Allowed: 3 (the present one), 2 (the previous one)." in str(refused.value)
        assert "Nothing was changed" in str(refused.value)
    assert release.image() == "app:3" and not [line for line in release.cluster.writes if "leases" not in line]


@pytest.fixture
def with_others(release: InMemoryRelease) -> InMemoryRelease:
    """A release in a namespace that was there before."""
    namespace = an_object("v1", "Namespace", "n")
    namespace["metadata"] |= {"uid": "n", "labels": {}}
    release.cluster.objects[NAMESPACE] = namespace
    release.deploy(FIRST[1:])
    release.deploy(SECOND[1:])
    return release


def test_a_teardown_leaves_the_history_without_the_objects(with_others: InMemoryRelease) -> None:
    run = with_others.tear_down(origin=Origin("OPS-9"))
    assert [path for path in with_others.cluster.objects if path != NAMESPACE] == [RECORD]
    left = with_others.cluster.objects[RECORD]
    assert left["data"].keys() == {"history"} and left["metadata"]["labels"] == {}
    entry = entries(with_others)[-1]
    assert (entry.revision, entry.action, entry.outcome, entry.release) == (3, TEARDOWN, SUCCEEDED, 0)
    assert entry.reason == "OPS-9" and "Deployment/agentsmith-dispatcher deleted" in told(entry)
    assert run.result()["entry"] == entry.as_dict() and "teardown_history=delete" in run.result()["text"]
    with_others.cluster.log.clear()
    again = with_others.tear_down()
    assert not again.result()["changed"] and with_others.cluster.writes == []
    with pytest.raises(ApplyError, match="nothing to roll back to"):
        with_others.restore(PREVIOUS)
    with_others.deploy(THIRD[1:])
    assert entries(with_others)[-1].revision == 4


@pytest.mark.parametrize("settings", [{"history": "delete"}, {"check_mode": True}])
def test_a_teardown_may_leave_no_history_and_a_preview_writes_none(
    with_others: InMemoryRelease, settings: dict[str, Any]
) -> None:
    before = with_others.cluster.objects[RECORD]
    with_others.tear_down(**settings)
    assert with_others.cluster.objects.get(RECORD) == (before if "check_mode" in settings else None)


def test_a_teardown_that_fails_leaves_an_entry_and_is_completed(with_others: InMemoryRelease) -> None:
    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("DELETE", CONFIG_MAP):
            raise ApiError(403, "Forbidden", "no")

    with_others.cluster.hook = refuse
    with pytest.raises(ApplyError, match="403"):
        with_others.tear_down()
    assert (entries(with_others)[-1].action, entries(with_others)[-1].outcome) == (TEARDOWN, FAILED)
    with_others.cluster.hook = lambda *_: None
    with_others.tear_down()
    assert entries(with_others)[-1].outcome == SUCCEEDED
    assert with_others.cluster.objects[RECORD]["data"].keys() == {"history"}


def test_no_value_of_a_secret_is_in_it(release: InMemoryRelease) -> None:
    release.origin = Origin("because MARKED-app:1 leaked, and MARKED-app:bad, too")
    release.deploy(FIRST)
    opened = release.apply(BAD)
    release.restore(holder=opened.holder, failure=Failure(opened.result()["objects"], "it said MARKED-app:1"))
    release.deploy(SECOND)
    release.restore(PREVIOUS)
    content = gzip.decompress(base64.b64decode(release.cluster.objects[RECORD]["data"]["history"])).decode()
    assert len(json.loads(content)["entries"]) == 4 and "leaked" in content
    assert "MARKED-app:1" not in content
    assert "MARKED-app:1" not in str(release.last.result()["entry"])


def test_two_hundred_deploys_keep_within_its_bounds(release: InMemoryRelease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "inventory_commit", lambda _directory: ("c" * 40, True))
    many = [an_object("v1", "ConfigMap", f"{number:03}-{'n' * 200}", data={}) for number in range(MOST_CHANGES + 2)]
    for number in range(200):
        release.origin = Origin(f"{number} " + "because " * 200)
        for body in many:
            body["data"] = {"key": str(number)}
        release.deploy([*a_release(f"app:{number}"), *many])
    found = entries(release)
    assert [entry.revision for entry in found] == list(range(201 - len(found), 201))
    assert 1 < len(found) <= MOST_ENTRIES
    assert sum(len(json.dumps(entry.as_dict())) for entry in found) <= LARGEST
    assert len(release.cluster.objects[RECORD]["data"]["history"]) < LARGEST
    last = found[-1]
    assert len(last.reason) <= LONGEST_TEXT and last.reason.startswith("199 because") and last.reason.endswith("…")
    assert (len(last.changes), last.more_changes) == (MOST_CHANGES, 5)
    assert release.recorded().previous is not None and release.restore(PREVIOUS).restored


def test_small_entries_are_kept_up_to_their_number() -> None:
    found = History()
    for number in range(1, 201):
        found = found.with_entry(Entry(number, DEPLOY, SUCCEEDED, "then", "me"))
    assert [entry.revision for entry in found.entries] == list(range(101, 201))
    assert found.next_revision == 201


def test_a_text_of_several_lines_and_control_characters_is_one_line() -> None:
    account = Account(DEPLOY, Origin("a\nb\x1b[31mc"), "me@here run 1", [], str)
    assert account.entry(1, 1, SUCCEEDED, []).reason == "a b [31mc"


def test_what_a_later_version_adds_to_an_entry_is_left_out() -> None:
    content = json.loads(json.dumps(History().with_entry(Entry(1, DEPLOY, SUCCEEDED, "then", "me")).as_dict()))
    content["entries"][0] |= {"later": 1}
    assert History.of({**content, "later": 2}).find(1) == Entry(1, DEPLOY, SUCCEEDED, "then", "me")


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An inventory that lies in a repository, beside something else; return the inventory."""
    git(tmp_path, "init", "--quiet")
    inventory = tmp_path / "inventories/prod"
    inventory.mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all:\n")
    (tmp_path / "other").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=one")
    return inventory


def test_the_commit_of_an_inventory_is_found_from_its_directory(repository: Path) -> None:
    assert inventory_commit(str(repository)) == (git(repository, "rev-parse", "HEAD"), False)
    (repository.parents[1] / "other").write_text("2")
    assert not inventory_commit(str(repository))[1], "what is changed beside it makes no other inventory"


@pytest.mark.parametrize("name", ["hosts.yml", "group_vars.yml"])
def test_an_inventory_with_changes_that_are_not_committed_is_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("changed: true\n")
    assert inventory_commit(str(repository)) == (git(repository, "rev-parse", "HEAD"), True)


def test_git_reads_no_other_repository_and_starts_no_program(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "started"
    git(repository, "config", "core.fsmonitor", f"touch {trace}; true")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert inventory_commit(str(repository))[0]
    assert not trace.exists()


def test_without_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inventory_commit("") == inventory_commit(str(tmp_path)) == ("", False)
    assert inventory_commit(str(tmp_path / "absent")) == ("", False)
    git(tmp_path, "init", "--quiet")
    assert inventory_commit(str(tmp_path)) == ("", False), "it has no commit yet"
    monkeypatch.setenv("PATH", "")
    assert inventory_commit(str(tmp_path)) == ("", False)


def test_the_version_is_that_of_the_collection() -> None:
    assert f"\nversion: {collection_version()}\n" in (Path(__file__).parents[5] / "galaxy.yml").read_text()
