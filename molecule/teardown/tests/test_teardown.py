# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/teardown.yml from the outside: it asks, spares running Jobs, leaves no pod, and is done when it is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

NAMESPACE = "agentsmith"
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


def test_teardown(playbook, kubectl, get, tmp_path) -> None:
    start_job(kubectl, get, tmp_path)

    def pods_that_stay() -> set[str]:
        """Without those that a rollout before the test is still ending."""
        return {pod["metadata"]["uid"] for pod in get("pods") if "deletionTimestamp" not in pod["metadata"]}

    pods = pods_that_stay()

    refused = playbook("playbooks/teardown.yml", *CONFIRMED)
    assert refused.returncode == 2
    assert "1 Jobs run" in refused.output and "Nothing was changed" in refused.output

    killing = ("-e", "teardown_jobs=kill")
    preview = playbook("playbooks/teardown.yml", *killing, "--check")
    assert preview.returncode == 0, preview.output
    for line in ("Deployment redis", "Job agentsmith-0123456789ab", "Namespace agentsmith: deleted"):
        assert line in preview.output
    wrong = playbook("playbooks/teardown.yml", *killing, "-e", "teardown_confirm=another")
    assert wrong.returncode == 2
    assert "The namespace of the release is not 'another'. Nothing was changed." in " ".join(wrong.output.split())
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
