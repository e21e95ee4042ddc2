# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms fire in a real Prometheus that scrapes a real kube-state-metrics, and clear again.

`make alarms` fetches both. The API server and its controllers are real; pods get their status from the test. An alarm
fires as soon as its expression holds: how long it must hold is tried by tests/unit/roles/test_alarms.py, and so are
those that need the kubelets or cert-manager.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from control_plane import ControlPlane, free_port
from stand_in_kubelet import MERGE, ready, stand_in_kubelet

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = "seen"
LONGEST = 120  # seconds
# A Job's end is looked at for half an hour, and restarts for a quarter: they clear in the unit test
STAY = {"AgentSmithJobsFailing", "AgentSmithContainerRestarting"}
CLEAR = {
    "AgentSmithDeployLockHeld",
    "AgentSmithDispatcherUnavailable",
    "AgentSmithJobNearDeadline",
    "AgentSmithJobPending",
    "AgentSmithRedisUnavailable",
    "AgentSmithReleaseRolledBack",
    "AgentSmithReleaseUnfinished",
    "AgentSmithRolloutFailed",
}
ANNOTATIONS = ("agentsmith.platform/unfinished", "agentsmith.platform/rolled-back")
THRESHOLDS = {
    "monitoring_restarts": 1,
    "monitoring_job_pending_seconds": 2,
    "monitoring_job_deadline_percent": 1,
}
NAMESPACED = f"/namespaces/{NAMESPACE}"


def until(holds: Callable[[], bool], what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def rules_in(directory: Path) -> Path:
    """Render the rules as a file, and let each alarm fire as soon as its expression holds."""
    variables = {
        "agentsmith_namespace": NAMESPACE,
        "monitoring_enabled": True,
        "monitoring_format": "configmap",
        "render_dir": str(directory / "rendered"),
        **THRESHOLDS,
    }
    subprocess.run(
        [
            *(Path(sys.executable).parent / "ansible-playbook", "playbooks/render.yml", "--inventory=inventories/dev"),
            *("--tags=monitoring", f"--extra-vars={json.dumps(variables)}"),
        ],
        cwd=REPOSITORY,
        check=True,
    )
    (file,) = (directory / "rendered").rglob("configmap-agentsmith-alerts.yaml")
    content = yaml.safe_load(yaml.safe_load(file.read_text())["data"]["agentsmith.rules.yml"])
    for rule in content["groups"][0]["rules"]:
        rule["for"] = "0s"
    rules = directory / "agentsmith.rules.yml"
    rules.write_text(yaml.safe_dump(content))
    return rules


@contextmanager
def running(log: Path, *command: str | Path) -> Iterator[None]:
    """Run a program for as long as the context lasts."""
    with log.open("w") as stream:
        process = subprocess.Popen([*map(str, command)], stdout=stream, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
            print(log.read_text()[-3000:])


@pytest.fixture
def firing(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Callable[[], set[str]]]:
    """Ask Prometheus which alarms fire: the names of the alarms of this namespace."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig())
    metrics, telemetry, port = free_port(), free_port(), free_port()
    scrape = {"job_name": "kube-state-metrics", "honor_labels": True}
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules_in(tmp_path))],
        "scrape_configs": [{**scrape, "static_configs": [{"targets": [f"127.0.0.1:{metrics}"]}]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))
    with ExitStack() as programs:
        programs.enter_context(
            running(
                tmp_path / "kube-state-metrics.log",
                os.environ["AGENTSMITH_KUBE_STATE_METRICS"],
                *(f"--kubeconfig={kubeconfig}", "--host=127.0.0.1", "--telemetry-host=127.0.0.1"),
                *(f"--port={metrics}", f"--telemetry-port={telemetry}", f"--namespaces={NAMESPACE}"),
                "--resources=deployments,jobs,leases,pods,secrets",
                f"--metric-annotations-allowlist=secrets=[{','.join(ANNOTATIONS)}]",
            )
        )
        programs.enter_context(
            running(
                tmp_path / "prometheus.log",
                os.environ["AGENTSMITH_PROMETHEUS"],
                f"--config.file={tmp_path}/prometheus.yml",
                f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            )
        )
        client = urllib3.PoolManager()

        def ask() -> set[str]:
            try:
                answer = client.request("GET", f"http://127.0.0.1:{port}/api/v1/alerts", retries=False).json()
            except urllib3.exceptions.HTTPError:
                return set()
            found = [alert for alert in answer["data"]["alerts"] if alert["state"] == "firing"]
            assert {alert["labels"]["namespace"] for alert in found} <= {NAMESPACE}
            return {alert["labels"]["alertname"] for alert in found}

        yield ask


def a_deployment(name: str, container: str) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": container, "image": "none"}]}
    spec = {
        "replicas": 1,
        "progressDeadlineSeconds": 2,
        "minReadySeconds": 0,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def a_job(name: str, deadline: int) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "agentsmith", "image": "none"}]}
    spec = {"activeDeadlineSeconds": deadline, "backoffLimit": 0, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def restarted(pod: dict[str, Any], times: int) -> dict[str, Any]:
    """Return the status of a pod that does not get ready, and whose container has restarted so often."""
    name = pod["spec"]["containers"][0]["name"]
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    entry = {"name": name, "ready": False, "restartCount": times, "image": "x", "imageID": "", "state": state}
    return {"phase": "Running", "containerStatuses": [entry]}


def test_what_can_be_seen_fires_and_clears(control_plane: ControlPlane, firing: Callable[[], set[str]]) -> None:
    def create(group: str, plural: str, body: dict[str, Any]) -> None:
        status, answer = control_plane.request("POST", f"{group}{NAMESPACED}/{plural}", body)
        assert status == 201, answer

    assert control_plane.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})[0] == 201
    for name, container in (("agentsmith-dispatcher", "dispatcher"), ("redis", "redis")):
        create("/apis/apps/v1", "deployments", a_deployment(name, container))
    for number in range(3):
        create("/apis/batch/v1", "jobs", a_job(f"agentsmith-{number:012x}", 1))
    create("/apis/batch/v1", "jobs", a_job("agentsmith-00000000000a", 300))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lease = {"holderIdentity": "me@here run 1", "acquireTime": now, "renewTime": now, "leaseDurationSeconds": 60}
    create("/apis/coordination.k8s.io/v1", "leases", {"metadata": {"name": "agentsmith-release"}, "spec": lease})
    record = {"name": "agentsmith-release", "annotations": dict.fromkeys(ANNOTATIONS, "true")}
    create("/api/v1", "secrets", {"metadata": record})

    path = f"/api/v1{NAMESPACED}/pods"
    times = 0

    def crash() -> bool:
        """Let the containers restart once more, and tell whether all fire."""
        nonlocal times
        times += 1
        for pod in control_plane.get(path)["items"]:
            if pod["metadata"].get("labels", {}).get("app"):
                status = {"status": restarted(pod, times)}
                control_plane.request("PATCH", f"{path}/{pod['metadata']['name']}/status", status, MERGE)
        return firing() == CLEAR | STAY

    until(crash, lambda: f"silent: {(CLEAR | STAY) - firing()}")

    with stand_in_kubelet(control_plane, NAMESPACE, ready()):
        for group, plural, name in (
            ("/apis/batch/v1", "jobs", "agentsmith-00000000000a"),
            ("/apis/coordination.k8s.io/v1", "leases", "agentsmith-release"),
            ("/api/v1", "secrets", "agentsmith-release"),
        ):
            assert control_plane.request("DELETE", f"{group}{NAMESPACED}/{plural}/{name}")[0] == 200
        until(lambda: firing() == STAY, lambda: f"still firing: {firing() - STAY}")
