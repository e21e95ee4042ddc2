# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret that others make: its keys and values are checked where it lives, and shown nowhere."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
from conftest import KUBECONFIG, KUBECTL, spellings

NAMESPACE = "agentsmith-external"
# No NodePort, which the release of the other tests has, and nobody to ask from outside
RELEASE = [
    *("-e", f"agentsmith_namespace={NAMESPACE}"),
    *("-e", "secrets_existing_name=from-elsewhere"),
    *("-e", "dispatcher_service_type=ClusterIP"),
    *("-e", "verify_url="),
]
VALUES = {
    "slack-bot-token": "xoxb-canary+/=4711",
    "slack-signing-secret": "ca4a47ca" * 4,
    "redis-url": "redis:6379,abortConnect=false,name=canary4711",
    "github-token": "ghp_canary+/=4711",
    "anthropic-api-key": "sk-ant-canary+/=4711",
}


def make_secret(values: dict[str, str]) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "from-elsewhere", "namespace": NAMESPACE},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "replace", "--force", "-f", "-"]
    subprocess.run(command, input=json.dumps(manifest), text=True, check=True, capture_output=True)


@pytest.fixture(scope="module", autouse=True)
def namespace(playbook):
    """The namespace is there before the Secret, and the Secret before the rest: as docs/how-to/secrets.md says."""
    run = playbook("playbooks/deploy.yml", *RELEASE, "--tags", "namespace")
    assert run.returncode == 0, run.output
    yield
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "delete", "namespace", NAMESPACE, "--wait=false"]
    subprocess.run(command, check=True, capture_output=True)


def shows_a_value(output: str) -> list[str]:
    return [key for key, value in VALUES.items() if any(spelling in output for spelling in spellings(value))]


def test_a_secret_that_is_not_there_is_named_with_the_keys_that_it_needs(playbook, get):
    run = playbook("playbooks/deploy.yml", *RELEASE)
    assert run.returncode != 0
    message = " ".join(run.output.split())
    assert f"The Secret {NAMESPACE}/from-elsewhere, which secrets_existing_name names, does not exist" in message
    for key in VALUES:
        assert key in message
    assert get("deployments,services", NAMESPACE) == []


def test_all_faults_of_a_secret_are_found_at_once_and_nothing_is_applied(playbook, get):
    wrong = {"github-token": f"{VALUES['github-token']}\n", "redis-url": "redis://redis:6379", "anthropic-api-key": ""}
    make_secret(VALUES | wrong)
    run = playbook("playbooks/deploy.yml", *RELEASE, "-vvv", "--diff")
    assert run.returncode != 0
    message = " ".join(run.output.split())
    assert f"The Secret {NAMESPACE}/from-elsewhere does not fit the configuration" in message
    assert "the value of github-token ends with a line end" in message
    assert "the value of redis-url is a URL, which the app cannot read" in message
    assert "it has no anthropic-api-key. Needed by projects.my-project.agent.type: Claude" in message
    assert shows_a_value(run.output) == []
    assert get("deployments,services", NAMESPACE) == []


def test_a_sound_secret_is_used_by_the_dispatcher_and_never_shown(playbook, get, kubectl):
    make_secret(VALUES)
    run = playbook("playbooks/deploy.yml", *RELEASE, "-vvv", "--diff")
    assert run.returncode == 0, run.output
    assert shows_a_value(run.output) == []
    # The record of the release is ours, and holds nothing of a Secret that others make.
    assert [item["metadata"]["name"] for item in get("secrets", NAMESPACE)] == ["agentsmith-release", "from-elsewhere"]
    token = kubectl("-n %s exec deploy/agentsmith-dispatcher -- printenv GITHUB_TOKEN K8S_SECRET_NAME", NAMESPACE)
    assert token.split() == [VALUES["github-token"], "from-elsewhere"]
