# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a cluster: from its container, its kubeconfig and its API server."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import kind_node

CONTAINER = [
    {
        "State": {"Running": True},
        "Config": {"Image": "localhost/agentsmith-kind-node:3f786850e387"},
        "HostConfig": {
            "PortBindings": {
                "30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "30080"}],
                "6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "39547"}],
            }
        },
    }
]
READY = {"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
NOT_READY = {"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
TAINTED = {**READY, "spec": {"taints": [{"key": kind_node.CONTROL_PLANE_TAINT, "effect": "NoSchedule"}]}}
NODE = kind_node.Node("podman", "demo-control-plane", True, "image", {"6443/tcp": 39547})


def kubeconfig(path: Path, *, name: str = "kind-demo", server: str = "https://127.0.0.1:39547") -> str:
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": name, "cluster": {"server": server}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            }
        )
    )
    return str(path)


def kubectl(fake, *, readyz: str = "echo ok", nodes: list | None = None) -> str:
    listed = json.dumps({"items": [READY] if nodes is None else nodes})
    return str(fake("kubectl", f"case \"$*\" in */readyz) {readyz} ;; *) echo '{listed}' ;; esac"))


def test_a_node_is_found_in_the_engine_that_has_it(fake) -> None:
    fake("docker", "echo 'No such container' >&2; exit 1")
    fake("podman", f"[ \"$*\" = 'container inspect demo-control-plane' ] && echo '{json.dumps(CONTAINER)}'")
    found = kind_node.find_node("demo", ("docker", "podman"))
    assert found == kind_node.Node(
        "podman", "demo-control-plane", True, CONTAINER[0]["Config"]["Image"], {"30080/tcp": 30080, "6443/tcp": 39547}
    )
    assert kind_node.find_node("other", ("docker", "podman")) is None


@pytest.mark.parametrize("running", [True, False])
def test_workers_belong_to_the_cluster_and_have_to_run_too(fake, running: bool) -> None:
    fake("docker", "exit 1")
    others = [{"State": {"Running": True}}, {"State": {"Running": running}}]
    workers = f"ps --all --filter=label={kind_node.CLUSTER_LABEL}=demo --filter=label={kind_node.ROLE_LABEL}=worker"
    fake(
        "podman",
        f"""case "$*" in
          "{workers} "*) echo demo-worker2; echo demo-worker ;;
          "container inspect demo-worker demo-worker2") echo '{json.dumps(others)}' ;;
          "container inspect demo-control-plane") echo '{json.dumps(CONTAINER)}' ;;
        esac""",
    )
    found = kind_node.find_node("demo", ("docker", "podman"))
    assert found is not None
    assert found.running is running
    assert found.names == ("demo-control-plane", "demo-worker", "demo-worker2")


def test_no_node_is_absent(tmp_path: Path) -> None:
    assert kind_node.verdict("demo", None, "kubectl", str(tmp_path / "kubeconfig")) == "absent"


def test_a_stopped_container_is_dead(fake, tmp_path: Path) -> None:
    stopped = kind_node.Node("podman", "demo-control-plane", False, "image", {"6443/tcp": 39547})
    assert kind_node.verdict("demo", stopped, kubectl(fake), kubeconfig(tmp_path / "kubeconfig")) == "dead"


def test_an_api_server_that_answers_and_a_ready_node_are_healthy(fake, tmp_path: Path) -> None:
    # No podman on PATH: the engine need not be asked a second time.
    assert kind_node.verdict("demo", NODE, kubectl(fake), kubeconfig(tmp_path / "kubeconfig")) == "healthy"


WORKERS = replace(NODE, workers=("demo-worker", "demo-worker2"))


@pytest.mark.parametrize(
    ("nodes", "verdict"),
    [
        ([TAINTED, READY, READY], "healthy"),
        ([TAINTED, READY, NOT_READY], "starting"),
        ([TAINTED, READY], "starting"),
        ([TAINTED, TAINTED, TAINTED], "starting"),
    ],
    ids=["all Ready", "one is not Ready", "one has not joined", "none is for pods"],
)
def test_a_cluster_with_workers_needs_all_of_them(fake, tmp_path: Path, nodes: list, verdict: str) -> None:
    fake("podman", "exit 0")
    path = kubeconfig(tmp_path / "kubeconfig")
    assert kind_node.verdict("demo", WORKERS, kubectl(fake, nodes=nodes), path) == verdict


REFUSED = "echo 'The connection to the server was refused' >&2; exit 1"
FOREIGN = "echo 'Unable to connect to the server: x509: certificate signed by unknown authority' >&2; exit 1"


@pytest.mark.parametrize(
    ("commands", "verdict"),
    [
        ({"nodes": [NOT_READY]}, "starting"),
        ({"nodes": [TAINTED]}, "starting"),
        ({"nodes": []}, "starting"),
        ({"readyz": REFUSED}, "starting"),
        ({"readyz": FOREIGN}, "unexported"),
    ],
    ids=["node not ready", "kind was killed before it took the taint away", "no node yet", "no API server", "other CA"],
)
def test_a_container_that_lives_is_not_healthy_yet(fake, tmp_path: Path, commands: dict, verdict: str) -> None:
    fake("podman", "[ \"$*\" = 'exec demo-control-plane true' ]")
    assert kind_node.verdict("demo", NODE, kubectl(fake, **commands), kubeconfig(tmp_path / "kubeconfig")) == verdict


def test_a_container_in_which_nothing_can_be_started_is_dead_whatever_the_engine_says(fake, tmp_path: Path) -> None:
    fake("podman", "exit 255")
    path = kubeconfig(tmp_path / "kubeconfig")
    assert kind_node.verdict("demo", NODE, kubectl(fake, readyz=REFUSED), path) == "dead"
    assert kind_node.verdict("demo", NODE, str(tmp_path / "no-kubectl"), path) == "dead"


@pytest.mark.parametrize(
    "broken", ["missing", "other context", "other port", "no kubeconfig at all", "not YAML", "empty"]
)
def test_a_kubeconfig_that_does_not_lead_to_this_node_is_unexported(fake, tmp_path: Path, broken: str) -> None:
    fake("podman", "exit 0")
    path = tmp_path / "kubeconfig"
    match broken:
        case "other context":
            kubeconfig(path, name="kind-other")
        case "other port":
            kubeconfig(path, server="https://127.0.0.1:39548")
        case "no kubeconfig at all":
            path.write_text("just: a\nlist: [of, things]\n")
        case "not YAML":
            path.write_bytes(b"\x00{{")
        case "empty":
            path.touch()
    assert kind_node.verdict("demo", NODE, kubectl(fake), str(path)) == "unexported"


def test_without_kubectl_it_is_unexported(fake, tmp_path: Path) -> None:
    fake("podman", "exit 0")
    path = kubeconfig(tmp_path / "kubeconfig")
    assert kind_node.verdict("demo", NODE, str(tmp_path / "no-kubectl"), path) == "unexported"
