# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/status.yml against a real API server, with the causes that its controllers give without nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_playbook import ansible_playbook
from awaiting import await_true
from control_plane import ControlPlane
from release_objects import an_object


@pytest.fixture
def status(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run the playbook with further options; return its exit code and what it says."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def run(*options: str) -> tuple[int, str]:
        ended = ansible_playbook(
            "--inventory=localhost,",
            "playbooks/status.yml",
            f"--extra-vars=agentsmith_kubeconfig={kubeconfig} agentsmith_namespace={namespace}",
            *options,
        )
        return ended.returncode, ended.stdout + ended.stderr

    return run


def a_job(namespace: str, name: str, memory: str, **spec: Any) -> dict[str, Any]:
    resources = {"requests": {"memory": memory}, "limits": {"memory": memory}}
    container = {"name": "agentsmith", "image": "agent", "args": ["fix #54 in web"], "resources": resources}
    labels = {"app": "agentsmith", "job-id": name.removeprefix("agentsmith-")}
    template = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    job = an_object("batch/v1", "Job", namespace, name, spec={"backoffLimit": 0, "template": template, **spec})
    job["metadata"]["labels"].update(labels)
    return job


def test_causes_in_text_and_json(status: Any, control_plane: ControlPlane, namespace: str) -> None:
    quota = an_object("v1", "ResourceQuota", namespace, "small", spec={"hard": {"requests.memory": "1Gi"}})
    assert control_plane.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)[0] == 201
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/small"
    await_true(lambda: (control_plane.get(path).get("status") or {}).get("used"))
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    for body in (
        a_job(namespace, "agentsmith-big", "2Gi"),
        a_job(namespace, "agentsmith-slow", "1Mi", activeDeadlineSeconds=1),
    ):
        assert control_plane.request("POST", jobs, body)[0] == 201
    # The pod counts as failed a moment before the Job does.
    await_true(lambda: "Failed" in conditions(control_plane.get(f"{jobs}/agentsmith-slow")))
    await_true(lambda: control_plane.get(f"/api/v1/namespaces/{namespace}/events")["items"])

    code, output = status("-e", "status_format=json")
    assert code == 0, output
    document = json.loads(re.search(r"^        \{$.*?^        \}$", output, re.MULTILINE | re.DOTALL)[0])
    found = {job["name"]: job for job in document["jobs"]}
    assert found["agentsmith-slow"]["state"] == "failed"
    assert found["agentsmith-slow"]["cause"].startswith("DeadlineExceeded: ")
    assert found["agentsmith-big"]["state"] == "waiting"
    assert "exceeded quota: small" in found["agentsmith-big"]["cause"]
    assert {load["problem"] for load in document["workloads"]} == {"does not exist"}

    code, output = status()
    assert code == 0, output
    assert re.search(r"agentsmith-big +waiting .* fix #54 in web +quota: ", output)
    assert re.search(r"agentsmith-slow +failed .* DeadlineExceeded: ", output)


def test_a_format_that_does_not_exist(status: Any) -> None:
    code, output = status("-e", "status_format=xml")
    assert code == 2
    assert "status_format is 'xml'. Allowed: text, json." in output


def conditions(job: dict[str, Any]) -> set[str]:
    """The conditions that a Job has."""
    return {entry["type"] for entry in job["status"].get("conditions") or [] if entry["status"] == "True"}
