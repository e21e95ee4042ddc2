# SPDX-License-Identifier: GPL-3.0-or-later
"""The history for people: the table, and the message at the end of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import Entry, Origin
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import PREVIOUS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.history_report import (
    HistoryReport,
    message,
    read_history,
)
from in_memory_release import OWNER, RECORD, InMemoryRelease, a_release

COMMIT = "0123abcd" * 5
CHANGES = [{"kind": "ConfigMap", "name": f"n{number}", "result": "updated"} for number in range(4)]
ENTRY = Entry(
    7,
    "deploy",
    "rolled_back",
    "2026-01-01T00:00:00Z",
    "me@here",
    reason="OPS-1",
    commit=COMMIT,
    dirty=True,
    images=["app:1"],
    changes=CHANGES,
    more_changes=2,
    cause="no pod started",
    release=6,
)


def report_of(release: InMemoryRelease) -> HistoryReport:
    return read_history(release.cluster, OWNER)  # type: ignore[arg-type]


def test_the_newest_entry_is_first_and_the_kept_releases_are_named() -> None:
    release = InMemoryRelease()
    release.deploy(a_release("app:1"))
    release.origin = Origin("OPS-2")
    release.deploy(a_release("app:2"))
    release.restore(PREVIOUS)
    report = report_of(release)
    assert [entry.revision for entry in report.entries] == [3, 2, 1]
    assert (report.present, report.previous) == (1, 2)
    lines = report.as_text()
    assert lines[0].split() == ["REVISION", "WHEN", "WHO", "WHAT", "OUTCOME", "COMMIT", "CHANGES", "REASON"]
    assert lines[1].startswith("3 ") and "rollback from 2 to 1  succeeded" in lines[1]
    assert "OPS-2" in lines[2] and "OPS-2" not in lines[3]
    assert lines[-1] == "Present release: revision 1. Kept to go back to: revision 2."


def test_a_failure_shows_its_cause_and_a_dirty_inventory_is_explained() -> None:
    lines = HistoryReport("here", "https://cluster.example", 6, 0, [ENTRY]).as_text()
    assert "failed, rolled back  0123abcd0123+  ConfigMap n0 updated, ConfigMap n1 updated" in lines[1]
    assert "ConfigMap n2 updated, 3 more  OPS-1" in lines[1]
    assert lines[2] == "Revision 7 failed: no pod started"
    assert lines[-2:] == [
        "Present release: revision 6. Kept to go back to: none.",
        "+ after a commit: the inventory had changes that were not committed.",
    ]


def test_what_a_run_had_beside_its_commit_is_shown() -> None:
    entry = replace(ENTRY, extra_variables=["agentsmith_adopt", "redis_image"], more_extra_variables=3, tags=["redis"])
    beside = "-e agentsmith_adopt, redis_image, 3 more; --tags redis"
    lines = HistoryReport("here", "https://cluster.example", 6, 0, [entry]).as_text()
    assert f"Revision 7 is not of its commit alone, but also of {beside}" in lines
    assert f"Beside the inventory: {beside}" in message(entry, "prod", "here")
    skipping = replace(ENTRY, skip_tags=["quota"])
    assert "Beside the inventory: --skip-tags quota" in message(skipping, "prod", "here")


def test_a_rollback_says_from_where_to_where() -> None:
    entry = replace(ENTRY, action="rollback", outcome="succeeded", from_release=12, to_release=9)
    assert message(entry, "prod", "here")[0].endswith("rollback from 12 to 9 succeeded")


def test_where_nothing_is_recorded_there_is_no_history() -> None:
    assert report_of(InMemoryRelease()).as_text() == ["No history is recorded in the namespace n."]


def test_a_record_that_is_none_is_refused() -> None:
    release = InMemoryRelease()
    release.cluster.objects[RECORD] = {"type": "Opaque", "metadata": {}, "data": {"history": "MARKED"}}
    with pytest.raises(ApplyError, match="its type is Opaque"):
        report_of(release)


def test_the_message_says_what_the_entry_says() -> None:
    assert message(ENTRY, "prod", "here") == [
        "Agent Smith, prod (namespace here): deploy failed, rolled back",
        "Revision 7 by me@here at 2026-01-01T00:00:00Z, commit 0123abcd0123+",
        "Reason: OPS-1",
        "Changes: ConfigMap n0 updated, ConfigMap n1 updated, ConfigMap n2 updated, 3 more",
        "Images: app:1",
        "Cause: no pod started",
    ]
    bare = replace(ENTRY, action="teardown", outcome="succeeded", reason="", commit="", changes=[], cause="")
    assert message(bare, "prod", "here") == [
        "Agent Smith, prod (namespace here): teardown succeeded",
        "Revision 7 by me@here at 2026-01-01T00:00:00Z",
    ]
