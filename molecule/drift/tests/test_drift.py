# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to a release with kubectl, as playbooks/drift.yml tells it; it changes nothing itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

NAMESPACE = "agentsmith"
Versions = Callable[[], dict[str, str]]


@pytest.fixture
def versions(get) -> Versions:
    """The versions of what a release has, which every write would change."""

    def read() -> dict[str, str]:
        kinds = "configmaps,secrets,services,roles,rolebindings,serviceaccounts,deployments.apps"
        return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["uid"] + spec_of(o) for o in get(kinds)}

    return read


def spec_of(body: dict[str, Any]) -> str:
    """What of an object a write would change; a status changes by itself."""
    return json.dumps({key: value for key, value in body.items() if key not in ("metadata", "status")})


@pytest.fixture
def as_deployed(playbook, kubectl) -> Iterator[None]:
    """Leave the release as the inventory has it: a deploy keeps what it does not state."""
    yield
    kubectl(f"-n {NAMESPACE} set env deployment/redis DEBUG-")
    finished = playbook("playbooks/deploy.yml")
    assert finished.returncode == 0, finished.output


def test_no_drift_after_a_deploy(playbook) -> None:
    finished = playbook("playbooks/drift.yml")
    assert finished.returncode == 0, finished.output
    assert "No drift: all" in finished.output


@pytest.mark.usefixtures("as_deployed")
def test_changes_by_hand(playbook, kubectl, versions: Versions, inventory) -> None:
    kubectl(f"-n {NAMESPACE} scale deployment redis --replicas=2")
    kubectl(f"-n {NAMESPACE} set env deployment/redis DEBUG=1")
    kubectl(f"-n {NAMESPACE} delete service redis")
    kubectl(f"-n {NAMESPACE} create configmap left-over")
    labels = f"app.kubernetes.io/managed-by=agentsmith.platform app.kubernetes.io/instance={NAMESPACE}"
    kubectl(f"-n {NAMESPACE} label configmap left-over {labels}")
    patch = json.dumps({"stringData": {"github-token": "ghp_canary4711"}})
    kubectl(f"-n {NAMESPACE} patch secret agentsmith-secrets --patch %s", patch)
    before = versions()

    finished = playbook("playbooks/drift.yml", "-vvv", "--diff")
    assert finished.returncode == 2
    lines = re.sub(" +", " ", finished.output)
    assert re.search(r"spec\.replicas 1 2 kubectl \(scale\)", lines)
    assert re.search(r"\+ spec\.template\.spec\.containers\[name=redis\]\.env.* kubectl-set 20\d\d-", lines)
    assert "Service redis does not exist" in lines
    assert "ConfigMap left-over has the labels of the release" in lines
    assert re.search(r"Secret agentsmith-secrets data\[?\.?github-token\]? \*+ \(digest .* kubectl-patch", lines)
    assert "2 changed, 1 missing, 1 extra" in lines
    assert "canary4711" not in finished.output and inventory["vault_github_token"] not in finished.output

    finished = playbook("playbooks/drift.yml", "-e", "drift_format=json", "-e", "drift_fail=false")
    assert finished.returncode == 0, finished.output
    document = json.loads(re.search(r"^        \{$.*?^        \}$", finished.output, re.MULTILINE | re.DOTALL)[0])
    assert not document["in_sync"]
    assert {(entry["kind"], entry["state"]) for entry in document["objects"]} == {
        ("Deployment", "changed"),
        ("Secret", "changed"),
        ("Service", "missing"),
        ("ConfigMap", "extra"),
    }
    assert versions() == before


@pytest.mark.usefixtures("as_deployed")
def test_a_report_in_a_file(playbook, kubectl, inventory, tmp_path) -> None:
    file = tmp_path / "drift.json"
    finished = playbook("playbooks/drift.yml", "-e", f"drift_file={file}")
    assert finished.returncode == 0, finished.output
    assert json.loads(file.read_text())["dev"]["in_sync"]
    kubectl(f"-n {NAMESPACE} delete service redis")
    patch = json.dumps({"stringData": {"github-token": "ghp_canary4712"}})
    kubectl(f"-n {NAMESPACE} patch secret agentsmith-secrets --patch %s", patch)
    file.chmod(0o644)
    finished = playbook("playbooks/drift.yml", "-e", f"drift_file={file}", "--check", "--diff")
    assert finished.returncode == 2
    assert "changed=0" in finished.output
    text = file.read_text()
    document = json.loads(text)
    assert list(document) == ["dev"] and not document["dev"]["in_sync"]
    states = {(entry["kind"], entry["state"]) for entry in document["dev"]["objects"]}
    assert states == {("Service", "missing"), ("Secret", "changed")}
    assert "canary4712" not in text and inventory["vault_github_token"] not in text
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_cluster_that_is_not_there(playbook) -> None:
    finished = playbook("playbooks/drift.yml", "-e", "agentsmith_context=no-such-context")
    assert finished.returncode == 4
    assert "no-such-context" in finished.output


def test_a_format_that_does_not_exist(playbook) -> None:
    finished = playbook("playbooks/drift.yml", "-e", "drift_format=xml")
    assert finished.returncode == 4
    assert "drift_format is 'xml'. Allowed: text, json." in finished.output
