# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/teardown.yml from the outside: it asks, spares running Jobs, leaves no pod, and is done when it is done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

NAMESPACE = "agentsmith"
OLD, NEW = "jira_kinds-canary-old", "jira_kinds-canary-new"
ROLLING = ("deployment", "statefulset", "daemonset")
CONFIRMED = ("-e", f"teardown_confirm={NAMESPACE}")


def start_job(kubectl: Callable[..., str], get: Callable[..., Any], tmp_path) -> None:
    """A Job like those that the Dispatcher spawns, which runs until it is removed."""
    image = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]["image"]
    container = {"name": "agent", "image": image, "imagePullPolicy": "Never", "command": ["sleep", "infinity"]}
    labels = {"app": "agentsmith", "job-id": "0123456789ab"}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "agentsmith-0123456789ab", "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }
    kubectl(f"-n {NAMESPACE} delete jobs --selector=app=agentsmith --wait")  # those of other tests
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job))
    kubectl(f"-n {NAMESPACE} create -f %s", str(file))
    kubectl(f"-n {NAMESPACE} wait --for=jsonpath={{.status.ready}}=1 --timeout=60s job/agentsmith-0123456789ab")


def workloads() -> list[dict[str, Any]]:
    """One of each kind that runs pods, each reads a key of the Secret. Their names are their kinds."""
    container = {
        "name": "c",
        "image": "{{ dev_stand_in_image }}",
        "imagePullPolicy": "Never",
        "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "agentsmith-secrets", "key": "jira-token"}}}],
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "100m", "memory": "32Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    identity = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    shared = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "securityContext": identity}

    def pod(*command: str, **more: Any) -> dict[str, Any]:
        return {**shared, "containers": [{**container, "command": list(command)}], **more}

    def selected(app: str, **more: Any) -> dict[str, Any]:
        labels = {"app": app}
        template = {"metadata": {"labels": labels}, "spec": pod("sleep", "infinity")}
        return {"selector": {"matchLabels": labels}, "template": template, **more}

    def job(*command: str) -> dict[str, Any]:
        return {"backoffLimit": 0, "template": {"spec": pod(*command, restartPolicy="Never")}}

    specs = {
        ("apps/v1", "Deployment"): selected("deployment"),
        ("apps/v1", "StatefulSet"): selected("statefulset", replicas=2, serviceName="none"),
        ("apps/v1", "DaemonSet"): selected("daemonset"),
        ("batch/v1", "Job"): job("true"),
        ("batch/v1", "CronJob"): {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job("sleep", "infinity")}},
        ("v1", "Pod"): pod("sleep", "infinity"),
    }
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": kind.lower(), "namespace": NAMESPACE}, "spec": spec}
        for (version, kind), spec in specs.items()
    ]


def test_workloads_of_every_kind_are_deployed_rolled_and_brought_back(playbook, kubectl, get, tmp_path) -> None:
    file = tmp_path / "workloads.json"

    def deploy(token: str) -> None:
        extra = "{{ dev_slack_objects + (dev_slack_com_objects if dev_slack_com | bool else []) + workloads }}"
        file.write_text(json.dumps({"extra_objects": extra, "workloads": workloads(), "secrets_jira_token": token}))
        done = playbook("playbooks/deploy.yml", "-e", f"@{file}")
        assert done.returncode == 0, done.output
        assert OLD not in done.output and NEW not in done.output

    def pods() -> dict[str, set[str]]:
        """The pods that stay, by the name of their workload."""
        found: dict[str, set[str]] = {}
        for body in get("pods"):
            metadata = body["metadata"]
            if "deletionTimestamp" not in metadata:
                found.setdefault(metadata["labels"]["app.kubernetes.io/name"], set()).add(metadata["uid"])
        return found

    def token_in(workload: str) -> str:
        return kubectl(f"-n {NAMESPACE} exec {workload} -- printenv TOKEN").strip()

    deploy(OLD)
    before = pods()
    assert {name: len(before[name]) for name in (*ROLLING, "job", "pod")} == {
        "deployment": 1,
        "statefulset": 2,
        "daemonset": 1,
        "job": 1,
        "pod": 1,
    }
    assert get("job/job")["status"]["succeeded"] == 1

    deploy(NEW)
    after = pods()
    assert [name for name in ROLLING if before[name] & after[name]] == []
    assert [token_in(f"{name}/{name}") for name in ROLLING] == [NEW] * len(ROLLING)
    assert (after["job"], after["pod"]) == (before["job"], before["pod"])
    assert token_in("pod/pod") == OLD

    back = playbook("playbooks/rollback.yml")
    assert back.returncode == 0, back.output
    assert [token_in(f"{name}/{name}") for name in ROLLING] == [OLD] * len(ROLLING)
    # A pod of the CronJob for the teardown to wait for
    kubectl(f"-n {NAMESPACE} create job --from=cronjob/cronjob next")
    kubectl(f"-n {NAMESPACE} wait --for=jsonpath={{.status.ready}}=1 --timeout=60s job/next")


def test_teardown(playbook, kubectl, get, tmp_path) -> None:
    start_job(kubectl, get, tmp_path)

    def pods_that_stay() -> set[str]:
        """Without those that a rollout before the test is still ending."""
        return {pod["metadata"]["uid"] for pod in get("pods") if "deletionTimestamp" not in pod["metadata"]}

    pods = pods_that_stay()

    refused = playbook("playbooks/teardown.yml", *CONFIRMED)
    assert refused.returncode == 2
    assert "1 Job runs" in refused.output and "Nothing was changed" in refused.output

    killing = ("-e", "teardown_jobs=kill")
    preview = playbook("playbooks/teardown.yml", *killing, "--check")
    assert preview.returncode == 0, preview.output
    of_every_kind = [f"{body['kind']} {body['metadata']['name']}" for body in workloads()]
    going = (*of_every_kind, "Deployment redis", "Job agentsmith-0123456789ab", "Namespace agentsmith:")
    for name in going:
        assert re.search(rf"{name} +would be deleted", preview.output), name
    wrong = playbook("playbooks/teardown.yml", *killing, "-e", "teardown_confirm=another")
    assert wrong.returncode == 2
    assert "The namespace of the release is not 'another'. Nothing was changed." in " ".join(wrong.output.split())
    assert "changed=0" in wrong.output
    assert pods_that_stay() == pods

    removed = playbook("playbooks/teardown.yml", *killing, *CONFIRMED)
    assert removed.returncode == 0, removed.output
    assert "Pods left: 0" in removed.output
    assert NAMESPACE not in kubectl("get namespaces -o name").replace("namespace/", "").split()
    assert kubectl("get pods -A -l app.kubernetes.io/managed-by=agentsmith.platform -o name") == ""

    again = playbook("playbooks/teardown.yml")
    assert again.returncode == 0, again.output
    assert "Nothing of the release is there." in again.output
    assert "changed=0" in again.output
