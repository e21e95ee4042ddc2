# SPDX-License-Identifier: GPL-3.0-or-later
"""The check decides as the app did: recorded verdicts, of which a sample lies here (tests/config_verdicts.py)."""

from __future__ import annotations

from typing import Any

import config_verdicts
import jsonschema
import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.addresses import Addresses
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import Report, examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.finding import Finding
from json_schema import json_schema


@pytest.fixture(scope="module")
def sample() -> list[tuple[dict[str, Any], Report]]:
    return [
        (record, examine(config_verdicts.source_of(record)))
        for record in config_verdicts.records(config_verdicts.SAMPLE)
    ]


def test_no_wrong_pass_and_no_wrong_refusal(sample: list[tuple[dict[str, Any], Report]]) -> None:
    assert len(sample) > 2000
    wrong = [
        (record["group"], record["change"], outcome, reason)
        for record, report in sample
        for outcome, reason in [config_verdicts.judge(record, report)]
        if outcome in (config_verdicts.WRONG_PASS, config_verdicts.WRONG_REFUSAL)
    ]
    assert wrong == []


def test_the_addresses_are_those_that_the_app_asked(sample: list[tuple[dict[str, Any], Report]]) -> None:
    compared = [
        (record["change"], *one)
        for record, report in sample
        if "asks" in record
        for one in config_verdicts.compare(record, report)
    ]
    assert len(compared) > 1500
    assert [one for one in compared if one[2] != one[3]] == []


def test_the_comparison_of_addresses_can_find_fault() -> None:
    recorded = {
        "requests": ["GET https://api.github.com/repos/acme/api/issues/1"],
        "source": "owner=acme repo=api cloneUrl=x.git",
    }
    record = {"works": True, "group": "url-github-source", "asks": {"api": recorded}}
    said = Addresses("api", "https://api.github.com/repos/acme/api/issues/1", "y.git", None)
    assert config_verdicts.compare(record, Report([], [], [said])) == [
        ("tickets", said.tickets, said.tickets),
        ("clone", "x.git", "y.git"),
        ("pull_requests", None, None),
    ]


def finding(severity: str, code: str) -> Report:
    return Report([Finding(severity, code, "", "")], [])


@pytest.mark.parametrize(
    ("works", "report", "outcome"),
    [
        (True, Report([], []), "agree"),
        (True, finding("error", "url"), "wrong refusal"),
        (True, finding("error", "wrong_address"), "refused for meaning"),
        (True, finding("policy", "duplicate"), "refused by policy"),
        (False, finding("warning", "missing_variable"), "wrong pass"),
        (False, finding("policy", "duplicate"), "wrong pass"),
        (False, finding("error", "url"), "agree"),
    ],
)
def test_the_measure_can_find_fault(works: bool, report: Report, outcome: str) -> None:
    record = {"works": works, "failure": [{"message": "Invalid URI: The URI is empty."}]}
    assert config_verdicts.judge(record, report)[0] == outcome


def test_the_json_schema_refuses_nothing_that_the_check_accepts(sample: list[tuple[dict[str, Any], Report]]) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    chosen = [one for one in sample if "asks" in one[0]] + sample[::9]
    assert [
        (record["change"], why)
        for record, report in chosen
        if (why := config_verdicts.refused_by_schema(record, report, validator)) is not None
    ] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("projects", "api", "tickets", "type"), "Trello"),
        (("projects", "api", "tickets", "url"), None),
        (("projects", "api", "tickets", "url"), "https://gitlab.com/acme/api"),
        (("projects", "api", "tickets", "url"), "https://github.com/acme"),
        (("projects", "api", "tickets"), {"type": "azuredevops"}),
        (("projects", "api", "tickets"), {"type": "AzureDevOps", "organization": "https://dev.azure.com/acme"}),
        (("projects", "api", "agent", "retry"), {"max_retries": 2**31}),
        (("projects", "api", "agent", "retry"), {"max_retries": "five"}),
        (("projects", "api", "agent", "cache"), {"enabled": 1}),
        (("projects", "api", "agent"), "claude"),
        (("projects", "api", "pipeline"), None),
        (("projects", "api"), None),
        (("projects", "Api"), {}),
        (("pipelines",), None),
        (("secrets",), {"token": None}),
    ],
)
def test_the_json_schema_refuses_what_it_can_see(path: tuple[str, ...], value: Any) -> None:
    repository = {"type": "GitHub", "url": "https://github.com/acme/api"}
    project = {"source": repository, "tickets": dict(repository), "agent": {"type": "Claude", "model": "m"}}
    data: dict[str, Any] = {"projects": {"api": {**project, "pipeline": "p"}}, "pipelines": {"p": {"commands": []}}}
    validator = jsonschema.Draft202012Validator(json_schema())
    assert validator.is_valid(data)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert examine(data).errors or examine(data).policies
    assert not validator.is_valid(data)


def test_no_policy_hides_an_error(sample: list[tuple[dict[str, Any], Report]]) -> None:
    """With every policy switched off, what is left decides as the app did."""
    wrong = []
    for record, report in sample:
        if not report.policies:
            continue
        allowed = examine(config_verdicts.source_of(record), allow={finding.code for finding in report.policies})
        assert not allowed.policies
        if bool(allowed.errors) != bool(report.errors):
            wrong.append(record["change"])
    assert wrong == []
