# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that fails, and a release that is taken back, with two replicas, seen from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Run, spellings

TOKEN = "jira_rollback+/=canary1"
NOWHERE = "registry.invalid/agentsmith-dispatcher:2"
GOOD = {"dispatcher_replicas": 2}
NEWER = {**GOOD, "secrets_jira_token": TOKEN, "dispatcher_pod_annotations": {"example.com/version": "2"}}
BAD = {**NEWER, "dispatcher_image": NOWHERE, "dispatcher_image_pull_policy": "IfNotPresent"}
LONGEST = 40  # seconds, 20 of which are the grace for an image that may yet be pulled


@pytest.fixture
def act(playbook, inventory, tmp_path) -> Iterator[Callable[..., Run]]:
    """Run a playbook with changed variables and a changed configuration; the release of the inventory comes back."""

    def run(name: str, variables: dict[str, Any] | None = None, *arguments: str) -> Run:
        changed = dict(variables or {})
        if TOKEN in changed.values():
            changed["config_agentsmith"] = json.loads(json.dumps(inventory["config_agentsmith"]))
            for project in changed["config_agentsmith"]["projects"].values():
                project["agent"]["model"] = "claude-of-the-newer-release"
        file = tmp_path / "variables.json"
        file.write_text(json.dumps(changed))
        finished = playbook(f"playbooks/{name}.yml", "-e", f"@{file}", "--diff", *arguments)
        assert not [form for form in spellings(TOKEN) if form in finished.output]
        return finished

    yield run
    assert run("deploy").returncode == 0


@pytest.fixture
def state(get) -> Callable[[], dict[str, Any]]:
    """What a rollback brings back: templates, values and configuration."""

    def look() -> dict[str, Any]:
        return {
            "template": get("deployment/agentsmith-dispatcher")["spec"]["template"],
            "secret": get("secret/agentsmith-secrets")["data"],
            "config": get("configmap/agentsmith-config")["data"],
        }

    return look


def test_an_image_that_cannot_be_pulled_costs_no_request(act, state, get, job, kubectl, request):
    assert act("deploy", GOOD).returncode == 0
    before, running = state(), job()
    pods = {pod["metadata"]["uid"] for pod in get("pods")}
    health = request.getfixturevalue("health")
    failed = act("deploy", BAD)
    print(f"failed deploy: {failed.seconds:.1f} s, {health.asked} requests, {len(health.failures)} failed")
    assert failed.returncode == 2
    message = " ".join(failed.output.split())
    assert f'Back-off pulling image "{NOWHERE}"' in message or "ErrImagePull" in message
    assert NOWHERE in message
    assert "The last good release, recorded at" in message
    assert health.failures == []
    assert failed.seconds < LONGEST
    assert state() == before
    assert {pod["metadata"]["uid"] for pod in get("pods") if "deletionTimestamp" not in pod["metadata"]} == pods
    assert job() == running
    assert kubectl("-n agentsmith get lease -o name") == ""
    assert re.search(r"changed=0 .*failed=0", act("deploy", GOOD).output)


def test_the_release_before_comes_back_and_the_present_one_again(act, state, job, request):
    assert act("deploy", GOOD).returncode == 0
    first = state()
    assert act("deploy", NEWER).returncode == 0
    second, running = state(), job()
    assert second["config"] != first["config"]
    health = request.getfixturevalue("health")
    preview = act("rollback", {}, "--check")
    assert preview.returncode == 0, preview.output
    assert "claude-of-the-newer-release" in preview.output
    assert state() == second
    done = act("rollback")
    assert done.returncode == 0, done.output
    assert state() == first
    assert act("rollback").returncode == 0
    assert state() == second
    print(f"rollback: {health.asked} requests, {len(health.failures)} failed")
    assert health.failures == []
    assert job() == running
