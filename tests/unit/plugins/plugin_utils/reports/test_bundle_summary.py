# SPDX-License-Identifier: GPL-3.0-or-later
"""The first page of a support bundle: whoever has the bundle alone reads the cause there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.conversations import (
    STUCK,
    Conversation,
    Conversations,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import Entry
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.bundle_summary import (
    WARNINGS_SHOWN,
    Findings,
    ends_of_crashes,
    first_page,
    newest_warnings,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.drift_report import (
    CHANGED,
    EXTRA,
    KEPT,
    MISSING,
    DriftReport,
    FieldDrift,
    ObjectDrift,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.jobs import JobReport, JobsReport
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.status import Status, Workload
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import (
    FAILED,
    NOT_CHECKED,
    OK,
    Outcome,
)

GOOD = Workload("redis", 1, 1, "redis:7", 0, "")
STATUS = Status("here", "https://cluster.example", [GOOD], "agent:1", [], Conversations([], []), "")
FOUND = Findings("here", "agentsmith", "https://cluster.example", "2026-01-01T00:00:00Z", status=STATUS)


def job(number: int, state: str = "failed") -> JobReport:
    name, created = f"agentsmith-{number}", "2026-01-01T00:00:00Z"
    return JobReport(name, "job", state, "", "", "", "", created, 3, 1, "quota: exceeded", [], "", "Raise quota_jobs.")


KEPT_FIELD = FieldDrift("command", None, ["sh"], restored=False, manager="kubectl-patch")


def drift(*objects: ObjectDrift) -> DriftReport:
    return DriftReport("here", "https://cluster.example", 12, list(objects), [])


def changed(state: str, name: str = "redis") -> ObjectDrift:
    fields = [FieldDrift("spec.replicas", 1, 0, state == CHANGED, "kubectl-scale")]
    return ObjectDrift("apps/v1", "Deployment", "here", name, state, fields)


def entry(outcome: str) -> dict[str, Any]:
    return Entry(5, "deploy", outcome, "2026-01-01T00:00:00Z", "me@here", "OPS-1", cause="no such image").as_dict()


CASES: dict[str, tuple[Findings, str]] = {
    "image": (
        replace(
            FOUND, status=replace(STATUS, workloads=[replace(GOOD, ready=0, problem="p", remedy="Check redis_image.")])
        ),
        "Deployment redis: 0 of 1 pod ready. p.\n    What to do: Check redis_image.",
    ),
    "image of a rollout": (
        replace(FOUND, status=replace(STATUS, workloads=[replace(GOOD, problem="p")])),
        "Deployment redis: 1 of 1 pod ready, so it still serves. p.",
    ),
    "changed by hand": (
        replace(
            FOUND,
            status=replace(STATUS, workloads=[replace(GOOD, ready=0, problem="p", remedy="Check redis_image.")]),
            drift=drift(changed(CHANGED)),
        ),
        "p.\n    What to do: It is changed, other than the inventory has it: spec.replicas (kubectl-scale). "
        "A deploy sets it back.\n    What to do: Check redis_image.",
    ),
    "changed by hand, of which a deploy keeps some": (
        replace(
            FOUND,
            status=replace(STATUS, workloads=[replace(GOOD, ready=0, problem="p", remedy="Others have set it.")]),
            drift=drift(replace(changed(CHANGED), fields=[*changed(CHANGED).fields, KEPT_FIELD])),
        ),
        "p.\n    What to do: Others have set it.\n    What to do: It is changed, other than the inventory has it: "
        "spec.replicas (kubectl-scale). A deploy sets it back.",
    ),
    "scaled to 0": (
        replace(FOUND, status=replace(STATUS, workloads=[replace(GOOD, ready=0, wanted=0)])),
        "Deployment redis: it is scaled to 0",
    ),
    "nothing there": (
        replace(FOUND, status=replace(STATUS, workloads=[replace(GOOD, problem="does not exist")])),
        "No Deployment of the release exists",
    ),
    "no namespace": (
        replace(FOUND, not_read={"the namespace": "here does not exist"}),
        "The namespace here does not exist: the release was never deployed there, or torn down.\n"
        "    What to do: If it should be there, check agentsmith_namespace",
    ),
    "no server": (replace(FOUND, not_read={"everything in the cluster": "no answer"}), "was not reached, so nothing"),
    "failed run": (
        replace(FOUND, entries=[entry("rolled_back")]),
        "The last deploy (revision 5, 2026-01-01T00:00:00Z) failed",
    ),
    "check": (
        replace(FOUND, checks=[Outcome("redis_ping", FAILED, "no answer", "Do it.")]),
        "Check redis_ping: no answer\n    What to do: Do it.",
    ),
    "job": (replace(FOUND, jobs=JobsReport("here", "", [job(1)], [])), "exceeded\n    What to do: Raise quota_jobs."),
    "many jobs": (
        replace(FOUND, jobs=JobsReport("here", "", [job(n) for n in range(9)], [])),
        "4 more Jobs have trouble",
    ),
    "missing": (
        replace(FOUND, drift=drift(changed(MISSING))),
        "Deployment redis is missing: the inventory has it, the cluster does not\n    What to do: A deploy makes",
    ),
    "changed": (replace(FOUND, drift=drift(changed(CHANGED))), "spec.replicas (kubectl-scale)"),
    "extra": (replace(FOUND, drift=drift(changed(EXTRA))), "not in the inventory"),
    "extra and missing": (
        replace(FOUND, drift=drift(changed(EXTRA), changed(MISSING, "web"))),
        "in the inventory\n  - Deployment web is missing: the inventory has it, the cluster does not\n    What to do: ",
    ),
    "much drift": (
        replace(FOUND, drift=drift(*(changed(MISSING, str(n)) for n in range(20)))),
        "8 more objects differ",
    ),
    "quota": (
        replace(
            FOUND,
            quotas=[
                {
                    "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels},
                    "status": {"used": {"pods": "2", "cpu": "1"}, "hard": {"pods": "2", "cpu": "2000m"}},
                }
                for name, labels in (("ours", {"app.kubernetes.io/instance": "agentsmith"}), ("theirs", {}))
            ],
        ),
        "ResourceQuota ours (made 2026-01-01T00:00:00Z) is used up, so it refuses what needs more: pods 2 of 2\n"
        "  - ResourceQuota theirs (made 2026-01-01T00:00:00Z, not of the release) is used up",
    ),
    "lock": (
        replace(FOUND, lease={"spec": {"holderIdentity": "me"}}),
        "holds the lock of the release, or died with it: me",
    ),
    "channel": (
        replace(
            FOUND,
            status=replace(
                STATUS,
                conversations=Conversations([Conversation("slack", "C1", "j", "fix", STUCK, "its Job is gone", 9)], []),
            ),
        ),
        "Channel C1 is stuck: its Job is gone",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_on_the_first_page(case: str) -> None:
    found, expected = CASES[case]
    page = first_page(found)
    wrong = page.split("What is wrong\n")[1].split("\n\n")[0]
    assert expected in wrong
    assert "Nothing that was looked at is wrong" not in page
    assert page.splitlines()[0] == (
        "Release agentsmith in the namespace here of https://cluster.example, looked at 2026-01-01T00:00:00Z"
    )


def test_a_healthy_release_says_so() -> None:
    healthy = replace(
        FOUND,
        checks=[Outcome("redis_ping", OK, "PONG"), Outcome("route", NOT_CHECKED, "none")],
        drift=drift(changed(KEPT)),
        entries=[entry("succeeded")],
    )
    page = first_page(healthy)
    assert "Nothing that was looked at is wrong." in page
    assert "deploy succeeded, revision 5, by me@here, OPS-1" in page
    assert "Not checked, summary/verify.txt says why\n  - route" in page
    assert page.index("What is wrong") < page.index("The last runs") < page.index("Where to look further")


@pytest.mark.parametrize(
    ("version", "nodes", "line"),
    [
        ({"gitVersion": "v1.36.1"}, ["eu-1"], "The cluster: Kubernetes v1.36.1, node eu-1"),
        (None, [f"eu-{number}" for number in range(7)], "The cluster: nodes eu-0, eu-1, eu-2, eu-3, eu-4, 2 more"),
        ("not JSON", [], ""),
        (None, [], ""),
    ],
)
def test_the_page_tells_clusters_at_the_same_address_apart(version: Any, nodes: list[str], line: str) -> None:
    found = replace(FOUND, version=version, nodes=[{"name": name} for name in nodes])
    assert first_page(found).splitlines()[1] == line


def test_what_a_container_said_before_it_crashed_is_on_the_page() -> None:
    lines = "\n".join(f"line {number}" for number in range(9))
    ends = ends_of_crashes({"logs/p/redis.log": "runs", "logs/p/redis.previous.log": f"{lines}\n\n"})
    assert ends == {"logs/p/redis.previous.log": ["line 5", "line 6", "line 7", "line 8"]}
    page = first_page(replace(FOUND, crashes=ends))
    assert "The end of logs/p/redis.previous.log\n  - line 5\n" in page


def test_the_page_leads_to_what_is_in_the_bundle_only() -> None:
    page = first_page(replace(FOUND, has=frozenset({"summary", "manifest.json"})))
    where = page.split("Where to look further\n")[1].splitlines()
    assert [line.split()[0] for line in where] == ["summary/", "manifest.json"]


def test_what_could_not_be_read_is_on_the_page() -> None:
    page = first_page(
        replace(
            FOUND,
            not_read={"the nodes": "forbidden"},
            warnings=[{"reason": "BackOff", "message": "m", "lastTimestamp": "2026-01-01T00:00:00Z"}],
        )
    )
    assert "the nodes: forbidden" in page and "2026-01-01T00:00:00Z BackOff (x1)" in page


def test_of_the_warnings_the_newest_of_each_object_count() -> None:
    def event(reason: str, name: str, message: str, kind: str = "Warning") -> dict[str, Any]:
        return {"type": kind, "reason": reason, "message": message, "involvedObject": {"kind": "Pod", "name": name}}

    events = [
        event("BackOff", "a", "the same thing, which took 1 s"),
        event("Started", "a", "fine", "Normal"),
        event("BackOff", "a", "the same thing, which took 2 s"),
    ]
    assert [found["message"] for found in newest_warnings(events)] == ["the same thing, which took 2 s"]
    assert len(newest_warnings([event("BackOff", str(number), "") for number in range(50)])) == WARNINGS_SHOWN
