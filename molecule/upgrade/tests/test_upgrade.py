# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade with two replicas, seen from outside: no request fails, and what runs goes on."""

from __future__ import annotations

import json
import re

import pytest

TWO = {"dispatcher_replicas": 2}
# A new template is what a new image is, too: every pod is replaced.
NEWER = {**TWO, "dispatcher_pod_annotations": {"example.com/version": "2"}, "secrets_jira_token": "jira_upgrade+/=2"}


@pytest.fixture(scope="module")
def deploy(playbook, tmp_path_factory):
    """Deploy with changed variables, without an error. The release of the inventory comes back."""
    file = tmp_path_factory.mktemp("deploy") / "variables.json"

    def run(variables, *arguments):
        file.write_text(json.dumps(variables))
        finished = playbook("playbooks/deploy.yml", "-e", f"@{file}", *arguments)
        assert finished.returncode == 0, finished.output
        assert "jira_upgrade" not in finished.output
        return finished.output

    yield run
    run({})


def test_no_request_fails_during_an_upgrade(deploy, get, job, kubectl, request, capsys):
    deploy(TWO)
    running = job()
    before = {pod["metadata"]["uid"] for pod in get("pods") if pod["metadata"]["labels"].get("app") != "agentsmith"}
    # From here on: what Ansible's own start takes does not count.
    health = request.getfixturevalue("health")
    output = deploy(NEWER)
    with capsys.disabled():
        print(f"\nupgrade: {health}")
    health.assert_unbroken()
    dispatchers = [pod for pod in get("pods") if pod["metadata"]["labels"].get("app") == "agentsmith-dispatcher"]
    ready = [pod["metadata"]["uid"] for pod in dispatchers if "deletionTimestamp" not in pod["metadata"]]
    assert len(ready) == 2
    assert not before & set(ready)
    assert job() == running
    assert "the Job agentsmith-in-flight is in flight" in " ".join(output.split())
    assert re.search(r"changed=0 .*failed=0", deploy(NEWER))
    assert kubectl("-n agentsmith get lease -o name") == ""


@pytest.fixture(scope="module")
def release_before(deploy):
    """The release of the inventory runs, and a rollback would roll the Dispatcher."""
    deploy(NEWER)
    deploy({})


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("deploy", {"dispatcher_pod_annotations": {"a": "b"}}),
        ("rollback", {}),
        ("rotate_secrets", {"secrets_github_token": "ghp_of_a_rotation", "rotate_secrets_keys": "github-token"}),
    ],
)
@pytest.mark.usefixtures("release_before")
def test_a_roll_can_wait_for_jobs_in_flight(playbook, get, job, tmp_path, name, changed):
    running = job()
    generation = get("deployment/agentsmith-dispatcher")["metadata"]["generation"]
    file = tmp_path / "drain.json"
    file.write_text(json.dumps({**changed, "dispatcher_drain_timeout": 2}))
    finished = playbook(f"playbooks/{name}.yml", "-e", f"@{file}")
    assert finished.returncode == 2
    assert "Job agentsmith-in-flight is still in flight" in " ".join(finished.output.split())
    assert get("deployment/agentsmith-dispatcher")["metadata"]["generation"] == generation
    assert job() == running
