# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that fails, and a release that is taken back, with two replicas, seen from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from awaiting import await_condition
from conftest import Run, as_a_user, spellings

TOKEN = "jira_rollback+/=canary1"
NOWHERE = "registry.invalid/agentsmith-dispatcher:2"
GOOD = {"dispatcher_replicas": 2}
NEWER = {**GOOD, "secrets_jira_token": TOKEN, "dispatcher_pod_annotations": {"example.com/version": "2"}}
BAD = {**NEWER, "dispatcher_image": NOWHERE, "dispatcher_image_pull_policy": "IfNotPresent"}
LEASE = "lease.coordination.k8s.io/agentsmith-release"
LONGEST = 40  # seconds, 20 of which are the grace for an image that may yet be pulled


@pytest.fixture(scope="module")
def act(playbook, inventory, tmp_path_factory) -> Iterator[Callable[..., Run]]:
    """Run a playbook with changed variables and a changed configuration. In the end the inventory's release comes back.

    Each test starts with a deploy of its own, which changes nothing where the test before has left that release.
    """
    file = tmp_path_factory.mktemp("act") / "variables.json"

    def run(name: str, variables: dict[str, Any] | None = None, *arguments: str) -> Run:
        changed = dict(variables or {})
        if TOKEN in changed.values():
            changed["config_agentsmith"] = json.loads(json.dumps(inventory["config_agentsmith"]))
            for project in changed["config_agentsmith"]["projects"].values():
                project["agent"]["model"] = "claude-of-the-newer-release"
        file.write_text(json.dumps(changed))
        finished = playbook(f"playbooks/{name}.yml", "-e", f"@{file}", "--diff", *arguments)
        assert not [form for form in spellings(TOKEN) if form in finished.output]
        return finished

    yield run
    assert run("deploy").returncode == 0


def kill_with_workers(process: subprocess.Popen[str]) -> None:
    """Kill a run of Ansible. Its workers have sessions of their own, so killing its process group would spare them."""
    os.kill(process.pid, signal.SIGSTOP)  # it starts no further worker
    family = {process.pid}
    for _generation in range(3):
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                if parent in family:
                    family.add(int(stat.parent.name))
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


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


def staying_pods(get) -> set[str]:
    """The pods that are not on their way out: a deploy ends while those before it do."""
    return {pod["metadata"]["uid"] for pod in get("pods") if "deletionTimestamp" not in pod["metadata"]}


def test_an_image_that_cannot_be_pulled_costs_no_request(act, state, get, job, kubectl, request, capsys):
    assert act("deploy", GOOD).returncode == 0
    before, running = state(), job()
    pods = staying_pods(get)
    health = request.getfixturevalue("health")
    failed = act("deploy", BAD)
    with capsys.disabled():
        print(f"\nfailed deploy: {failed.seconds:.1f} s, {health}")
    health.assert_unbroken()
    assert failed.returncode == 2
    message = " ".join(failed.output.split())
    # The diff shows the image, too: here the cause has to name it
    cause = (
        rf"agentsmith-dispatcher will not become ready: (ImagePullBackOff|ErrImagePull): .{{0,150}}{re.escape(NOWHERE)}"
    )
    assert re.search(cause, message), failed.output
    assert "event Warning" in message
    assert "The last good release, recorded at" in message
    assert failed.seconds < LONGEST
    assert state() == before
    assert staying_pods(get) == pods
    assert job() == running
    assert kubectl("-n agentsmith get lease -o name") == ""
    assert re.search(r"changed=0 .*failed=0", act("deploy", GOOD).output)


def test_a_release_that_runs_and_fails_its_verification_is_taken_back(act, state, kubectl):
    assert act("deploy", GOOD).returncode == 0
    before = state()
    # Nobody listens there, whatever the release is like
    failed = act("deploy", {**NEWER, "verify_url": "http://localhost:1", "verify_timeout": 1})
    assert failed.returncode == 2
    assert failed.checks("failed") == {"reachable"}, failed.output
    message = " ".join(failed.output.split())
    assert re.search(r"1 of \d+ checks failed: - reachable: ", message), failed.output
    assert "The last good release, recorded at" in message
    assert state() == before
    assert kubectl("-n agentsmith get lease -o name") == ""
    assert re.search(r"changed=0 .*failed=0", act("deploy", GOOD).output)


@pytest.mark.long
def test_a_deploy_that_is_killed_is_completed_by_the_next(act, state, kubectl, tmp_path):
    assert act("deploy", GOOD).returncode == 0
    before = state()
    newer = {**GOOD, "dispatcher_pod_annotations": {"example.com/version": "2"}, "agentsmith_lock_duration": 5}
    file = tmp_path / "killed.json"
    file.write_text(json.dumps(newer))
    process = subprocess.Popen(**as_a_user("playbooks/deploy.yml", "-e", f"@{file}"), stdout=subprocess.DEVNULL)
    try:
        await_condition(lambda: kubectl("-n agentsmith get lease -o name"), timeout=60)
    finally:
        kill_with_workers(process)
    assert process.returncode == -signal.SIGKILL
    assert kubectl("-n agentsmith get lease -o name").strip() == LEASE
    done = act("deploy", newer)
    assert done.returncode == 0, done.output
    assert state()["template"]["metadata"]["annotations"]["example.com/version"] == "2"
    assert kubectl("-n agentsmith get lease -o name") == ""
    assert re.search(r"changed=0 .*failed=0", act("deploy", newer).output)
    # What is recorded is the release before and this one, not what the killed run left of it
    assert act("rollback").returncode == 0
    assert state() == before


def test_the_release_before_comes_back_and_the_present_one_again(act, state, job, request, capsys):
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
    with capsys.disabled():
        print(f"\nrollback: {health}")
    health.assert_unbroken()
    assert job() == running
