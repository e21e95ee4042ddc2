# SPDX-License-Identifier: GPL-3.0-or-later
"""What events still tell of a Job that is gone, and what a Job that exists tells of its request."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.jobs import JobReport, read_jobs_report
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target

NAME = "agentsmith-f22f09a529c2"
OOM = {"exitCode": 137, "reason": "OOMKilled"}


class Answers:
    """A connection whose lists are given. A log is a text, or an error."""

    host = "https://cluster.example"

    def __init__(self, jobs: Any = (), pods: Any = (), events: Any = (), log: Any = "") -> None:
        self.lists = {"jobs": list(jobs), "pods": list(pods), "events": events}
        self.log = log

    def get(self, path: str, _query: Any = None) -> Any:
        return self.request("GET", path)

    def request(self, _method: str, path: str, **_options: Any) -> Any:
        found = self.lists[path.rpartition("/")[2]]
        if isinstance(found, Exception):
            raise found
        return type("Response", (), {"body": {"items": found}})

    def find(self, _path: str) -> None:
        return None

    def get_text(self, _path: str, _query: Any) -> str:
        if isinstance(self.log, Exception):
            raise self.log
        return str(self.log)


def jobs_of(**answers: Any) -> list[JobReport]:
    connection: Any = Answers(**answers)
    return read_jobs_report(Target(connection, Names("here"), [])).jobs


def event(reason: str, message: str = "", kind: str = "Job", second: int = 0, name: str = NAME) -> dict[str, Any]:
    time = f"2026-01-02T12:00:{second:02}Z"
    about = {"kind": kind, "name": name if kind == "Job" else f"{name}-x7k2p"}
    return {"metadata": {}, "involvedObject": about, "reason": reason, "message": message, "lastTimestamp": time}


MADE = event("SuccessfulCreate", f"Created pod: {NAME}-x7k2p", second=1)
SCHEDULED = event("Scheduled", f"Successfully assigned here/{NAME}-x7k2p to worker-2", "Pod", 2)
BACKOFF = event("BackoffLimitExceeded", "Job has reached the specified backoff limit", second=31)


@pytest.mark.parametrize(
    ("events", "state", "cause", "duration"),
    [
        ([MADE, event("Completed", "Job completed", second=41)], "complete", "", 40),
        ([MADE, event("DeadlineExceeded", "too long", second=21)], "failed", "DeadlineExceeded: too long", 20),
        ([MADE, event("Evicted", "low on memory", "Pod", 9), BACKOFF], "failed", "Evicted: low on memory", 30),
        (
            [MADE, event("Failed", "Failed to pull image", "Pod", 9), BACKOFF],
            "failed",
            "Failed: Failed to pull image",
            30,
        ),
        (
            [MADE, BACKOFF],
            "failed",
            "BackoffLimitExceeded: Job has reached the specified backoff limit; the exit code",
            30,
        ),
        ([event("FailedCreate", "exceeded quota: small")], "gone", "quota: exceeded quota: small", None),
        ([event("FailedCreate", "webhook denied the request: no")], "gone", "admission: webhook denied", None),
        ([MADE], "gone", "somebody deleted it, or", None),
    ],
)
def test_a_job_that_is_gone(events: Any, state: str, cause: str, duration: int | None) -> None:
    (found,) = jobs_of(events=[SCHEDULED, *events])
    assert (found.name, found.source, found.state, found.node) == (NAME, "events", state, "worker-2")
    assert found.cause.startswith(cause)
    assert bool(found.cause) == bool(cause)
    assert found.duration == duration


def test_events_about_what_is_no_job_of_the_app() -> None:
    others = [event("Completed", name=name) for name in ("agentsmith-backup-29341", "migrate", "agentsmith-dispatcher")]
    assert jobs_of(events=others) == []


def a_job(**status: Any) -> dict[str, Any]:
    arguments = ["--headless", "--channel-id", "C012", "fix #54 in web shop"]
    pod = {"containers": [{"name": "agentsmith", "args": arguments}]}
    metadata = {"name": NAME, "uid": "u", "creationTimestamp": "2026-01-02T12:00:00Z"}
    return {"metadata": metadata, "spec": {"ttlSecondsAfterFinished": 300, "template": {"spec": pod}}, "status": status}


def a_failed_job() -> dict[str, Any]:
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "lastTransitionTime": "2026-01-02T12:00:40Z",
    }
    return a_job(conditions=[failed])


def a_pod(ended: dict[str, Any]) -> dict[str, Any]:
    owner = {"kind": "Job", "name": NAME, "uid": "u"}
    statuses = [{"name": "agentsmith", "state": {"terminated": ended}}]
    return {
        "metadata": {"name": "p", "uid": "p", "ownerReferences": [owner]},
        "status": {"containerStatuses": statuses},
    }


def test_a_job_that_failed_and_still_exists() -> None:
    (found,) = jobs_of(jobs=[a_failed_job()], pods=[a_pod(OOM)], log="one\ntwo\n", events=[MADE, SCHEDULED])
    assert (found.ticket, found.project, found.channel) == ("54", "web shop", "C012")
    assert (found.source, found.state, found.duration) == ("job", "failed", 40)
    assert found.cause.startswith("OOMKilled")
    assert found.lines == ["one", "two"]
    assert found.removed_in == 0, "it ended long ago"


@pytest.mark.parametrize(
    ("told", "cause", "remedy"),
    [
        (event("TaintManagerEviction", "Marking for deletion", "Pod", 9), "TaintManagerEviction: Marking", ""),
        (event("OOMKilling", "Memory cgroup out of memory", "Pod", 9), "OOMKilling: Memory cgroup", ""),
        (event("Failed", "Failed to pull image: not found", "Pod", 9), "Failed: Failed to", "agentsmith_agent_image"),
        (event("FailedMount", 'configmap "ca" not found', "Pod", 9), "FailedMount", "job_policy_ca_config_map"),
        (SCHEDULED, "BackoffLimitExceeded: its pod was deleted", ""),
    ],
)
def test_a_job_that_exists_without_its_pod(told: Any, cause: str, remedy: str) -> None:
    """Its events say what its pod no longer can, and it is said that they do."""
    connection: Any = Answers(jobs=[a_failed_job()], events=[MADE, told, BACKOFF])
    report = read_jobs_report(Target(connection, Names("here", "", "", ""), []))
    (found,) = report.jobs
    assert (found.source, found.state, found.lines) == ("job", "failed", [])
    assert found.cause.startswith(cause) and remedy in found.remedy
    assert "its pod is gone, and its log with it" in found.lines_fault
    assert f"The log of {NAME} cannot be shown: {found.lines_fault}" in report.as_text()


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (event("BackOff", 'Back-off pulling image "x"', "Pod", 9), "agentsmith_agent_image"),
        (event("FailedScheduling", "1 node(s) had untolerated taint {a: }", "Pod", 9), "job_policy_tolerations"),
        (event("DeadlineExceeded", "too long", second=21), "job_policy_active_deadline_seconds"),
        (event("BackOff", "Back-off restarting failed container", "Pod", 9), ""),
    ],
)
def test_what_to_do_about_a_job_that_is_gone(told: Any, remedy: str) -> None:
    connection: Any = Answers(events=[MADE, told])
    report = read_jobs_report(Target(connection, Names("here", "", "", ""), []))
    assert remedy in report.jobs[0].remedy and bool(remedy) == bool(report.jobs[0].remedy)
    assert "(events): the Job is gone, with its log and its exit code" in report.as_text()


def test_the_log_cannot_be_read() -> None:
    fault = ApiError(403, "Forbidden", "pods/log is forbidden")
    (found,) = jobs_of(jobs=[a_failed_job()], pods=[a_pod(OOM)], log=fault)
    assert (found.lines, found.lines_fault) == ([], "pods/log is forbidden")


def test_events_may_not_be_read() -> None:
    connection: Any = Answers(jobs=[a_job()], events=ApiError(403, "Forbidden", "events is forbidden"))
    report = read_jobs_report(Target(connection, Names("here"), []))
    assert [job.state for job in report.jobs] == ["waiting"]
    assert report.not_read == ["events, so Jobs that are gone are not listed (events is forbidden)"]


def test_what_people_read() -> None:
    failed = {"jobs": [a_failed_job()], "pods": [a_pod({"exitCode": 1})], "log": "no configuration\n"}
    connection: Any = Answers(**failed, events=[event("Completed", name="agentsmith-000000000001", second=5)])
    text = read_jobs_report(Target(connection, Names("here"), [])).as_text()
    lines = text.splitlines()
    assert lines[2].split() == ["JOB", "STATE", "TICKET", "PROJECT", "CHANNEL", "CREATED", "TOOK", "CAUSE"]
    assert "complete (events)" in text
    assert "Error, exit code 1 (it failed, and its log says why)" in text
    assert "  no configuration" in lines
    assert "Not read: the channels in Redis" in text
