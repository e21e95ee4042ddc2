# SPDX-License-Identifier: GPL-3.0-or-later
"""The check decides as the app did: recorded verdicts, of which a sample lies here (tests/config_verdicts.py)."""

from __future__ import annotations

import json
from typing import Any

import config_verdicts
import jsonschema
import pytest
import yaml
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
    refused = []
    for record, report in sample[::9]:
        if report.errors or report.policies or record["group"].startswith("url-"):
            continue
        try:
            data = json.loads(json.dumps(yaml.safe_load(config_verdicts.source_of(record))))
        except (yaml.YAMLError, TypeError, ValueError, RecursionError):
            # Another parser, or dates and keys that JSON does not have
            continue
        refused += [(record["change"], error.json_path, error.message) for error in validator.iter_errors(data)]
    assert refused == []


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
