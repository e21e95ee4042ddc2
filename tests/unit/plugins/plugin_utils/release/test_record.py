# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the last good releases: what is written of them, and what comes back."""

from __future__ import annotations

import base64
import gzip
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import record
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import ReleaseRecord, Releases, merged
from in_memory_cluster import InMemoryCluster

SECRET = "/api/v1/namespaces/n/secrets/agentsmith-release"  # noqa: S105  a path
Objects = list[dict[str, Any]]


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}


FIRST, SECOND = [config_map("a", key="1"), config_map("b")], [config_map("a", key="2")]


@pytest.fixture
def cluster() -> InMemoryCluster:
    """A cluster with the namespace of the release."""
    cluster = InMemoryCluster()
    cluster.objects["/api/v1/namespaces/n"] = {"kind": "Namespace", "metadata": {"name": "n", "uid": "u"}}
    return cluster


@pytest.fixture
def release_record(cluster: InMemoryCluster) -> ReleaseRecord:
    return ReleaseRecord(cluster, Owner("n", "agentsmith"))


def test_where_nothing_is_recorded_there_is_no_release(release_record: ReleaseRecord) -> None:
    assert release_record.read() == Releases()


def test_what_is_written_is_read_again(release_record: ReleaseRecord, cluster: InMemoryCluster) -> None:
    release_record.write(Releases(SECOND, FIRST), "somebody")
    found = release_record.read()
    assert (found.current, found.previous, found.recorded_by, found.rolled_back) == (SECOND, FIRST, "somebody", False)
    assert found.recorded_at == cluster.objects[SECRET]["metadata"]["annotations"]["agentsmith.platform/recorded-at"]
    release_record.write(found.swapped(), "another")
    back = release_record.read()
    assert (back.current, back.previous, back.recorded_by, back.rolled_back) == (FIRST, SECOND, "another", True)


def test_the_record_is_a_secret_of_the_release_that_compresses_the_objects(
    release_record: ReleaseRecord, cluster: InMemoryCluster
) -> None:
    release_record.write(Releases(FIRST), "somebody")
    stored = cluster.objects[SECRET]
    assert stored["type"] == "agentsmith.platform/release.v1"
    assert stored["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "agentsmith.platform",
        "app.kubernetes.io/instance": "agentsmith",
        "app.kubernetes.io/component": "release",
    }
    assert stored["data"].keys() == {"current"}
    assert json.loads(gzip.decompress(base64.b64decode(stored["data"]["current"]))) == FIRST


def test_equal_releases_make_equal_records(release_record: ReleaseRecord, cluster: InMemoryCluster) -> None:
    release_record.write(Releases(FIRST), "somebody")
    before = cluster.objects[SECRET]["data"]
    release_record.write(Releases(FIRST), "another")
    assert cluster.objects[SECRET]["data"] == before
    assert base64.b64decode(before["current"])[4:8] == bytes(4)  # the time of a gzip file


def test_a_deploy_pushes_the_release_before_it_down() -> None:
    once = Releases().followed_by(FIRST, complete=True)
    assert (once.current, once.previous) == (FIRST, None)
    twice = once.followed_by(SECOND, complete=True)
    assert (twice.current, twice.previous) == (SECOND, FIRST)


def test_an_unchanged_release_is_recorded_already_in_whatever_order() -> None:
    recorded = Releases(FIRST, SECOND, "somebody", "then", True)
    assert recorded.followed_by(FIRST[::-1], complete=True) is recorded


def test_a_release_in_which_1_becomes_true_is_another_one() -> None:
    """Python takes them for equal, the API server does not."""
    one, other = ([{**config_map("a"), "spec": {"on": value}}] for value in (1, True))
    recorded = Releases(one)
    after = recorded.followed_by(other, complete=True)
    assert (after.current is other, after.previous is one) == (True, True)


def test_a_part_replaces_its_namesakes_and_is_nothing_to_go_back_to_alone() -> None:
    assert Releases().followed_by(SECOND, complete=False) == Releases()
    after = Releases(FIRST).followed_by(SECOND, complete=False)
    assert (after.current, after.previous) == ([config_map("a", key="2"), config_map("b")], FIRST)
    assert merged(FIRST, [config_map("c")]) == [*FIRST, config_map("c")]


def test_the_one_before_is_dropped_where_both_are_too_large(
    release_record: ReleaseRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [config_map("large", key=random.Random(0).randbytes(3000).hex())]  # noqa: S311  to be hard to compress
    monkeypatch.setattr(record, "LARGEST", 6000)
    release_record.write(Releases(large, FIRST), "somebody")
    assert release_record.read().previous == FIRST
    release_record.write(Releases(large, large), "somebody")
    found = release_record.read()
    assert (found.current, found.previous) == (large, None)


def test_a_record_that_the_server_refuses_leaves_a_release_that_works(
    release_record: ReleaseRecord, cluster: InMemoryCluster
) -> None:
    def refuse(_method: str, _path: str, _body: Any) -> None:
        raise ApiError(413, "RequestEntityTooLarge", "limit is 3145728")

    cluster.hook = refuse
    with pytest.raises(ApplyError, match=r"The release works, but Secret n/agentsmith-release.*refused \(413\)"):
        release_record.write(Releases(FIRST), "somebody")


def test_a_record_that_may_not_be_read_is_named(release_record: ReleaseRecord, cluster: InMemoryCluster) -> None:
    def refuse(_method: str, _path: str, _body: Any) -> None:
        raise ApiError(403, "Forbidden", "no")

    cluster.hook = refuse
    with pytest.raises(ApplyError, match=r"Secret n/agentsmith-release.*cannot be read \(403\)"):
        release_record.read()


def test_a_secret_of_another_type_is_somebody_elses(release_record: ReleaseRecord, cluster: InMemoryCluster) -> None:
    cluster.objects[SECRET] = {"type": "Opaque", "metadata": {}, "data": {"current": "MARKED"}}
    with pytest.raises(ApplyError, match="its type is Opaque") as refused:
        release_record.read()
    assert "agentsmith_instance" in str(refused.value) and "MARKED" not in str(refused.value)


def corrupt() -> dict[str, str]:
    """Return texts that no record holds, each with a marked value where it has one."""
    whole = gzip.compress(json.dumps([config_map("a", key="MARKED")]).encode())
    return {
        "no base64": "MARKED!",
        "not compressed": base64.b64encode(b'["MARKED"]').decode(),
        "cut off": base64.b64encode(whole[:-12]).decode(),
        "no JSON": base64.b64encode(gzip.compress(b"{MARKED")).decode(),
        "no UTF-8": base64.b64encode(gzip.compress(b'"\xff"')).decode(),
        "empty": "",
    }


@pytest.mark.parametrize("generation", ["current", "previous"])
@pytest.mark.parametrize("fault", corrupt())
def test_a_record_that_does_not_unpack_is_refused_and_not_quoted(
    release_record: ReleaseRecord, cluster: InMemoryCluster, fault: str, generation: str
) -> None:
    release_record.write(Releases(FIRST, SECOND), "somebody")
    cluster.objects[SECRET]["data"][generation] = corrupt()[fault]
    with pytest.raises(ApplyError, match="holds no release that this collection recorded. Delete it") as refused:
        release_record.read()
    assert "MARKED" not in str(refused.value)


def test_a_new_record_takes_other_rights_than_one_that_is_there(release_record: ReleaseRecord) -> None:
    verbs = [{need.permission.verb for need in release_record.needs(before)} for before in (Releases(), Releases([]))]
    assert verbs == [{"create", "patch"}, {"patch"}]


def test_what_a_failed_run_left_is_noted_until_a_whole_release_proves_good() -> None:
    other = [config_map("c")]
    left = Releases(FIRST, recorded_by="somebody", recorded_at="then", unfinished=True)
    assert left.followed_by(FIRST, complete=False) is left
    assert left.followed_by(other, complete=False).unfinished
    assert left.followed_by(FIRST, complete=True) == replace(left, unfinished=False)
    assert not left.followed_by([*FIRST, *other], complete=True).unfinished
    assert not left.swapped().unfinished


def test_that_a_failed_run_left_something_is_read_again_and_hides_no_older_date(
    release_record: ReleaseRecord, cluster: InMemoryCluster
) -> None:
    release_record.write(Releases(FIRST), "somebody")
    good = release_record.read()
    release_record.write(replace(good, unfinished=True), "another")
    assert release_record.read() == replace(good, unfinished=True)
    release_record.write(release_record.read().followed_by(FIRST, complete=True), "a third")
    assert not release_record.read().unfinished
    assert "agentsmith.platform/unfinished" not in cluster.objects[SECRET]["metadata"]["annotations"]
