# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's Jobs under admission policies, in a namespace that enforces Pod Security `restricted`."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import KUBECONFIG, KUBECTL

RELEASE = ["-e", "@molecule/job_policy/vars/release.yml"]
OTHER = "agentsmith-policy-2"
POLICIES = ",".join(
    f"{kind}admission{resource}" for kind in ("mutating", "validating") for resource in ("policies", "policybindings")
)
Spawn = Callable[[str], dict[str, Any]]


@pytest.fixture
def spawn(playbook, kubectl, get) -> Iterator[Spawn]:
    """Ask the Dispatcher for a fix in a channel; returns the Job that it spawns."""
    spawned = []

    def ask(channel: str) -> dict[str, Any]:
        before = {job["metadata"]["name"] for job in get("jobs")}
        run = playbook("molecule/job_policy/fix.yml", "-e", f"fix_channel={channel}")
        assert run.returncode == 0, run.output
        deadline = time.monotonic() + 60
        while not (new := [job for job in get("jobs") if job["metadata"]["name"] not in before]):
            assert time.monotonic() < deadline, kubectl("-n agentsmith logs deploy/agentsmith-dispatcher --tail=20")
            time.sleep(0.2)
        spawned.append(new[0]["metadata"]["name"])
        return new[0]

    yield ask
    for name in spawned:
        kubectl("-n agentsmith delete job %s --wait=false --ignore-not-found", name)


def as_the_dispatcher(namespace: str, job: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Create a Job in a dry run as the ServiceAccount; what comes back is the Job, or the refusal."""
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "-n", namespace]
    command += ["--as", f"system:serviceaccount:{namespace}:agentsmith"]
    command += ["create", "--dry-run=server", "-o", "json", "-f", "-"]
    return subprocess.run(command, input=json.dumps(job), capture_output=True, text=True)


def a_job(image: str) -> dict[str, Any]:
    """Return a Job that is as bare as the app's."""
    container = {"name": "agentsmith", "image": image, "args": ["--headless", "fix #54 in agent-smith-test"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": "agentsmith-000000000000"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}


def config_digest(get) -> str:
    text = get("configmap/agentsmith-config")["data"]["agentsmith.yml"]
    return hashlib.sha256(text.encode()).hexdigest()


def digest_that_was_read(kubectl, job: dict[str, Any]) -> str:
    """Wait for the Job's success, and return what it says of its configuration."""
    name = job["metadata"]["name"]
    kubectl("-n agentsmith wait --for=condition=Complete --timeout=120s job/%s", name)
    log = kubectl("-n agentsmith logs job/%s", name)
    digests = re.findall(r"agentsmith\.yml, sha256 (\w+)", log)
    assert len(digests) == 1, log
    return digests[0]


def test_the_namespace_admits_restricted_pods_only(get):
    labels = get("namespace/agentsmith")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_job_runs_and_reads_the_config_map_and_the_next_one_its_new_content(spawn, kubectl, get, playbook, inventory):
    first = config_digest(get)
    job = spawn("C1")
    assert job["spec"]["activeDeadlineSeconds"] == 7200
    assert digest_that_was_read(kubectl, job) == first

    configuration = inventory["config_agentsmith"]
    one_more = {"commands": ["FetchTicketCommand"]}
    changed = {
        "config_agentsmith": {**configuration, "pipelines": {**configuration["pipelines"], "one-more": one_more}}
    }
    run = playbook("playbooks/deploy.yml", *RELEASE, "--tags", "config", "-e", json.dumps(changed))
    assert run.returncode == 0, run.output
    second = config_digest(get)
    assert second != first
    assert digest_that_was_read(kubectl, spawn("C2")) == second


def test_a_forged_job_is_refused_and_told_what_is_allowed(get):
    container = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    image = environment["AGENTSMITH_IMAGE"]
    assert as_the_dispatcher("agentsmith", a_job(image)).returncode == 0
    refused = as_the_dispatcher("agentsmith", a_job("busybox"))
    assert refused.returncode != 0
    assert f"A Job of the Dispatcher runs the image {image} and no other" in refused.stderr


def names_of_policies(get) -> list[str]:
    return sorted(policy["metadata"]["name"] for policy in get(POLICIES))


def test_another_instance_has_policies_of_its_own_until_its_teardown(playbook, kubectl, get):
    first, second = ["agentsmith-jobs.agentsmith.agentsmith"] * 4, [f"agentsmith-jobs.second.{OTHER}"] * 4
    other = [
        "-e",
        f"agentsmith_namespace={OTHER}",
        "-e",
        "agentsmith_instance=second",
        "-e",
        "agentsmith_agent_image=second:1",
    ]

    def in_force() -> bool:
        """Whether the other namespace's Jobs are mutated and validated."""
        own, forged = (as_the_dispatcher(OTHER, a_job(image)) for image in ("second:1", "busybox"))
        admitted = json.loads(own.stdout)["spec"]["template"]["spec"] if own.returncode == 0 else {}
        return "volumes" in admitted and forged.returncode != 0

    run = playbook("playbooks/deploy.yml", *RELEASE, *other, "--tags", "namespace,rbac,job_policy")
    try:
        assert run.returncode == 0, run.output
        assert names_of_policies(get) == first + second
        # The API server learns of each policy by itself, within about a second
        deadline = time.monotonic() + 30
        while not in_force():
            assert time.monotonic() < deadline, as_the_dispatcher(OTHER, a_job("second:1"))
            time.sleep(0.2)
        assert "agentsmith-jobs.agentsmith.agentsmith" in as_the_dispatcher("agentsmith", a_job("second:1")).stderr
    finally:
        torn_down = playbook("playbooks/teardown.yml", *RELEASE, *other, "-e", f"teardown_confirm={OTHER}")
    assert torn_down.returncode == 0, torn_down.output
    assert names_of_policies(get) == first
    assert kubectl("get namespace %s --ignore-not-found", OTHER) == ""
    assert "agentsmith-jobs.agentsmith.agentsmith" in as_the_dispatcher("agentsmith", a_job("second:1")).stderr


def test_switched_off_the_policies_are_gone(playbook, get):
    run = playbook("playbooks/deploy.yml")
    assert run.returncode == 0, run.output
    assert get(POLICIES) == []
