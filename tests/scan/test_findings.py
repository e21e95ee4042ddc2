# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate itself: it must fail where it should."""

from __future__ import annotations

from pathlib import Path

import manifests
import pytest
import repository
import yaml
from conftest import HERE
from findings import Finding, judge, load_exceptions, load_skips

ONE = Finding("checkov", "dev", "CKV_K8S_15", "Deployment/redis")
OTHER = Finding("checkov", "dev", "CKV_K8S_16", "Deployment/redis")
SKIPS = load_skips(HERE / "exceptions.yml")
SLACK_TOKEN = "xox" + "b-3141592653-589793238462-Ab3dEf7hIjKl0nOp"  # in two parts: this file is scanned, too


def test_finding_without_an_exception_is_unexpected():
    assert judge([ONE, OTHER], [ONE], "checkov", "dev") == ([OTHER], [])


def test_exception_that_nothing_needs_is_stale():
    assert judge([], [ONE], "checkov", "dev") == ([], [ONE])


@pytest.mark.parametrize(("scanner", "scope"), [("checkov", "prod"), ("kube-score", "dev")])
def test_exception_counts_for_its_scanner_and_scope_only(scanner, scope):
    assert judge([], [ONE], scanner, scope) == ([], [])


@pytest.mark.parametrize("load", [load_exceptions, load_skips])
@pytest.mark.parametrize("change", [{"reason": None}, {"reason": " "}, {"checks": "x"}])
def test_entry_without_a_reason_or_with_an_unknown_field_is_refused(tmp_path: Path, load, change):
    what = {"check": "C", "object": "A/b"} if load is load_exceptions else {"skip": "line", "what": "x"}
    path = tmp_path / "exceptions.yml"
    path.write_text(yaml.safe_dump([{"scanner": "checkov", "scope": "dev", **what, "reason": "because"} | change]))
    with pytest.raises(ValueError, match="must have the texts"):
        load(path)


def test_entry_that_stands_there_twice_is_refused(tmp_path: Path):
    entry = {"scanner": "checkov", "scope": "dev", "check": "C", "object": "A/b", "reason": "because"}
    path = tmp_path / "exceptions.yml"
    path.write_text(yaml.safe_dump([entry, dict(entry)]))
    with pytest.raises(ValueError, match="twice"):
        load_exceptions(path)


def write(directory: Path, manifest: dict) -> Path:
    (directory / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return directory


def test_schema_faults_are_found(tmp_path: Path):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "redis"}, "spec": {"port": 1}}
    found, _ = manifests.schemas("dev", write(tmp_path, service))
    assert Finding("kubernetes-validate", "dev", "1.30 spec", "Service/redis") in found


@pytest.mark.parametrize(
    ("api_version", "kind", "lack"),
    [
        ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", "needs 1.36"),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "gone in 1.32"),
        ("example.com/v1", "Thing", "no schema"),
    ],
)
def test_kind_that_a_version_does_not_know_is_found(tmp_path: Path, api_version, kind, lack):
    item = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "one"}}
    found, _ = manifests.schemas("dev", write(tmp_path, item))
    assert Finding("kubernetes-validate", "dev", lack, f"{api_version} {kind}") in found


@pytest.mark.parametrize(
    "line", [f"token: {SLACK_TOKEN}", f"slack-bot-secret: {SLACK_TOKEN}", f'"canary": "{SLACK_TOKEN}"']
)
def test_secret_is_found_whatever_its_name(tmp_path: Path, line):
    (tmp_path / "values.yml").write_text(line + "\n")
    found, count = repository.secrets("repository", tmp_path, [Path("values.yml")], SKIPS)
    assert Finding("detect-secrets", "repository", "Slack Token", "values.yml") in found
    assert count == 1


@pytest.mark.parametrize("dummy", ["xoxb-0123456789-abc", "xoxb-1-2-canary4711", "redis://user:secret@redis:6379"])
def test_dummy_is_a_finding_in_manifests_only(tmp_path: Path, dummy):
    (tmp_path / "values.yml").write_text(f"token: {dummy}\n")
    assert repository.secrets("repository", tmp_path, [Path("values.yml")], SKIPS) == (set(), 1)
    assert repository.secrets("dev", tmp_path, [Path("values.yml")], SKIPS)[0]
