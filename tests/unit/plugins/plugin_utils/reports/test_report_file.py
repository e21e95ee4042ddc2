# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports for programs: they follow their published schemas, and JUnit XML says what became of each check."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import jsonschema
import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.job_state import JobState
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import history
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.conversations import (
    ENDING,
    RUNNING,
    STUCK,
    UNHEARD,
    Conversation,
    Conversations,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.drift_report import (
    CHANGED,
    EXTRA,
    KEPT,
    MISSING,
    TERMINATING,
    DriftReport,
    FieldDrift,
    ObjectDrift,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.history_report import HistoryReport
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.jobs import JobReport, JobsReport
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.report_file import (
    REPORTS,
    json_text,
    junit_text,
    report_of,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.status import Status, Workload
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import (
    FAILED,
    NOT_CHECKED,
    OK,
    WARNING,
    Outcome,
)

# tests/integration/test_support_bundle.py
OF_ARCHIVES = {"support_bundle"}
SCHEMAS = Path(__file__).parents[5] / "docs/reference/reports"

JOB = JobState("agentsmith-1", "fix #54 in web", "running", "", 4, None, channel="C1", node="worker")
CONVERSATION = Conversation("slack", "C1", "agentsmith-1", "fix #54 in web", RUNNING, "its Job runs", 7200)
CONVERSATIONS = Conversations(
    [replace(CONVERSATION, state=state) for state in (RUNNING, UNHEARD, ENDING, STUCK)], ["agentsmith-2"]
)
STATUS = Status(
    namespace="here",
    server="https://cluster.example",
    workloads=[Workload("redis", 1, 1, "redis:7", 0, "")],
    agent_image="agent:1",
    jobs=[JOB, *(replace(JOB, state=state, duration=3) for state in ("waiting", "complete", "failed"))],
    conversations=CONVERSATIONS,
    not_read="",
)
FIELDS = [FieldDrift("spec.replicas", 1, 2, True, "kubectl", "Update", "scale", "2026-01-01T00:00:00Z")]
OBJECTS = [
    ObjectDrift("apps/v1", "Deployment", "here", "redis", state, FIELDS)
    for state in (MISSING, CHANGED, KEPT, EXTRA, TERMINATING)
]
DRIFT = DriftReport("here", "https://cluster.example", 12, OBJECTS, ["Gateway"], OBJECTS[:1])
OUTCOMES = [
    Outcome("redis_ping", OK, "PONG"),
    Outcome("network_policy", WARNING, "not enforced", "Install a plugin"),
    Outcome("challenge", FAILED, "500 <html> & more\nsecond line\x1b[31m", "Look at the log"),
    Outcome("health", NOT_CHECKED, "no pod answers"),
]
CHANGES = [{"kind": "Secret", "name": "agentsmith-secrets", "result": result} for result in ("created", "deleted")]
ENTRIES = [
    history.Entry(number, action, outcome, "2026-01-01T00:00:00Z", "me@here", images=["app:1"], changes=CHANGES)
    for number, (action, outcome) in enumerate(product(history.ACTIONS, history.OUTCOMES), 1)
]
HISTORY = HistoryReport("here", "https://cluster.example", 12, 11, ENTRIES)
JOB_REPORT = JobReport(
    "agentsmith-1",
    "job",
    "failed",
    "54",
    "web",
    "C1",
    "worker",
    "2026-01-01T00:00:00Z",
    3,
    297,
    "ErrImagePull",
    ["end"],
    "",
    "Check agentsmith_agent_image.",
)
JOBS = JobsReport(
    "here",
    "https://cluster.example",
    [JOB_REPORT, replace(JOB_REPORT, source="events", state="gone", duration=None, removed_in=None, lines=[])],
    ["events, so Jobs that are gone are not listed (forbidden)"],
)
RESULTS: dict[str, list[dict[str, Any]]] = {
    "jobs": [{"jobs": asdict(JOBS)}],
    "status": [
        {"status": STATUS.as_dict()},
        {"status": replace(STATUS, conversations=None, not_read="Redis is not there").as_dict()},
    ],
    "drift": [{"drift": DRIFT.as_dict()}, {"drift": replace(DRIFT, objects=[]).as_dict()}],
    "history": [{"history": HISTORY.as_dict()}, {"history": replace(HISTORY, entries=[]).as_dict()}],
    "verify": [
        {
            "checks": [outcome.as_dict() for outcome in OUTCOMES],
            "failed_checks": ["challenge"],
            "not_checked": ["health"],
            "table": "not part of the report",
        }
    ],
}


def read_schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def test_each_report_has_its_schema() -> None:
    assert (
        {path.name.removesuffix(".schema.json") for path in SCHEMAS.iterdir()} - OF_ARCHIVES
        == set(REPORTS)
        == set(RESULTS)
    )


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_follows_its_schema(name: str) -> None:
    schema = read_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    reports = {f"host{number}": report_of(name, result) for number, result in enumerate(RESULTS[name])}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(json_text(reports)))) == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_field_that_the_schema_does_not_know_is_found(name: str) -> None:
    report = json.loads(json_text({"host": {**report_of(name, RESULTS[name][0]), "unknown": 1}}))
    assert [error.message for error in jsonschema.Draft202012Validator(read_schema(name)).iter_errors(report)]


@pytest.mark.parametrize("name", REPORTS)
def test_a_task_that_failed_says_why(name: str) -> None:
    report = report_of(name, {"failed": True, "msg": "no answer", "exception": object()})
    assert report == {"error": "no answer"}
    assert list(jsonschema.Draft202012Validator(read_schema(name)).iter_errors({"host": report})) == []
    both = {"host": {**report, **report_of(name, RESULTS[name][0])}}
    assert list(jsonschema.Draft202012Validator(read_schema(name)).iter_errors(both))


@pytest.mark.parametrize("name", REPORTS)
def test_a_task_that_says_nothing_has_no_report(name: str) -> None:
    assert report_of(name, {"skipped": True}) is None


def test_junit_of_a_host_that_could_not_be_asked() -> None:
    (suite,) = xml.fromstring(junit_text({"dev": {"error": "no answer\x1b\nof the API server"}}))  # noqa: S314  our own
    assert suite.attrib == {"name": "dev", "tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    (case,) = suite
    assert (case[0].tag, case[0].attrib["message"], case[0].text) == (
        "error",
        "no answer",
        "no answer\nof the API server",
    )


def test_junit_has_a_suite_a_host_and_a_case_a_check() -> None:
    (result,) = RESULTS["verify"]
    report = report_of("verify", result)
    suites = xml.fromstring(junit_text({"dev": report, "prod": report}))  # noqa: S314  our own
    assert [suite.attrib for suite in suites] == [
        {"name": name, "tests": "4", "failures": "1", "errors": "0", "skipped": "1"} for name in ("dev", "prod")
    ]
    ok, warning, failed, not_checked = suites[0]
    assert [case.attrib["name"] for case in suites[0]] == [outcome.check for outcome in OUTCOMES]
    assert list(ok) == []
    assert warning[0].tag == "system-out"
    assert warning[0].text == "warning: not enforced\nInstall a plugin"
    assert (failed[0].tag, failed[0].attrib["message"]) == ("failure", "500 <html> & more")
    assert failed[0].text == "500 <html> & more\nsecond line[31m\nLook at the log"
    assert (not_checked[0].tag, not_checked[0].attrib["message"]) == ("skipped", "no pod answers")
