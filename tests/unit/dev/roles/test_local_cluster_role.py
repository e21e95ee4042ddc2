# SPDX-License-Identifier: GPL-3.0-or-later
"""The role as a whole, with Docker, kind and kubectl replaced by scripts that log what they are asked."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook

PLAYBOOK = [{"hosts": "all", "gather_facts": False, "roles": ["agentsmith.dev.local_cluster"]}]
NODES = {"items": [{"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}]}

DOCKER = """
case "$1 $2" in
  "container inspect")
    case "$3" in
      *-worker) echo '[{"State": {"Running": false}}]' ;;
      *) cat "$STATE/container" 2>/dev/null ;;
    esac ;;
  "ps --all") cat "$STATE/workers" 2>/dev/null || true ;;
  exec*) [ ! -e "$STATE/killed" ] ;;
  run*) exit 127 ;;
  *) exit 0 ;;
esac
"""
# `create` makes a node, `delete` removes it, `export` writes the kubeconfig.
KIND = """
echo "$*" >> "$STATE/kind.log"
case "$1" in
  version) echo "kind v0.33.0 go1.26.8 linux/amd64" ;;
  create) cat > "$STATE/config"; cp "$STATE/new-container" "$STATE/container" ;;
  delete) rm -f "$STATE/container" "$STATE/killed" ;;
  export) cp "$STATE/new-kubeconfig" "$STATE/kubeconfig" ;;
esac
"""
KUBECTL = """
echo "$*" >> "$STATE/kubectl.log"
case "$*" in
  version*) echo "Client Version: v1.37.0" ;;
  *) [ ! -e "$STATE/killed" ] || exit 1; cat "$STATE/nodes" ;;
esac
"""


class Machine:
    """A machine with a working Docker, and kind and kubectl on PATH."""

    def __init__(self, root: Path) -> None:
        self.state = root
        self.commands = root / "commands"
        self.commands.mkdir()
        for name, body in (("docker", DOCKER), ("podman", "exit 1"), ("kind", KIND), ("kubectl", KUBECTL)):
            (self.commands / name).write_text(f"#!/bin/sh\n{body}")
            (self.commands / name).chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        (root / "nodes").write_text(json.dumps(NODES))
        self.write_container("new-container", running=True)
        self.write_kubeconfig("new-kubeconfig", "kind-demo")
        (root / "playbook.yml").write_text(json.dumps(PLAYBOOK))

    def write_container(self, name: str, *, running: bool) -> None:
        ports = {"30080/tcp": self.port, "6443/tcp": 39547}
        bindings = {inside: [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for inside, port in ports.items()}
        container = {
            "State": {"Running": running},
            "Config": {"Image": "kindest/node:v1.37.0"},
            "HostConfig": {"PortBindings": bindings},
        }
        (self.state / name).write_text(json.dumps([container]))

    def write_kubeconfig(self, name: str, *contexts: str) -> None:
        document = {
            "clusters": [{"name": name, "cluster": {"server": "https://127.0.0.1:39547"}} for name in contexts],
            "contexts": [{"name": name, "context": {"cluster": name}} for name in contexts],
        }
        (self.state / name).write_text(json.dumps(document))

    def link_tools(self) -> None:
        (self.state / "bin").mkdir()
        for name in ("kind", "kubectl"):
            (self.state / "bin" / name).symlink_to(self.commands / name)

    def run(self, *options: str, **variables: object) -> subprocess.CompletedProcess[str]:
        given = {
            "local_cluster_name": "demo",
            "local_cluster_host_port": self.port,
            "local_cluster_kubeconfig": str(self.state / "kubeconfig"),
            "local_cluster_bin_dir": str(self.state / "bin"),
            "local_cluster_cache_dir": str(self.state / "cache"),
            "local_cluster_source": "registry",
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        return ansible_playbook(
            "--inventory=demo,",
            f"--extra-vars={json.dumps(given)}",
            self.state / "playbook.yml",
            *options,
            STATE=str(self.state),
            PATH=f"{self.commands}:/usr/bin:/bin",
        )

    def kind(self) -> list[str]:
        """What kind was asked to change, one verb a call."""
        log = self.state / "kind.log"
        calls = log.read_text().splitlines() if log.exists() else []
        return [call.split()[0] for call in calls if not call.startswith("version")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def changed(run: subprocess.CompletedProcess[str]) -> int:
    assert run.returncode == 0, run.stdout + run.stderr
    return int(re.search(r"changed=(\d+)", run.stdout)[1])


def test_a_first_run_creates_the_cluster_from_the_registry(machine: Machine) -> None:
    assert changed(machine.run()) > 0
    assert machine.kind() == ["create"]
    (call,) = [line for line in (machine.state / "kind.log").read_text().splitlines() if line.startswith("create")]
    for option in (
        "--name=demo",
        "--image=docker.io/kindest/node:v1.37.0@sha256:",
        f"--kubeconfig={machine.state}/kubeconfig",
    ):
        assert option in call
    config = yaml.safe_load((machine.state / "config").read_text())
    (node,) = config["nodes"]
    assert node["extraPortMappings"] == [
        {"listenAddress": "127.0.0.1", "hostPort": machine.port, "containerPort": 30080}
    ]
    assert "networking" not in config, "kind's own node image needs kind's own network"
    assert (machine.state / "bin" / "kubectl").readlink() == machine.commands / "kubectl"


def test_workers_are_nodes_of_their_own_without_ports(machine: Machine) -> None:
    (machine.state / "nodes").write_text(json.dumps({"items": NODES["items"] * 3}))
    assert changed(machine.run(local_cluster_workers=2)) > 0
    control_plane, *workers = yaml.safe_load((machine.state / "config").read_text())["nodes"]
    assert control_plane["role"] == "control-plane"
    assert workers == [{"role": "worker"}] * 2
    assert "wait --for=condition=Ready nodes --all" in (machine.state / "kubectl.log").read_text()


def test_another_number_of_workers_is_refused_for_a_cluster_that_runs(machine: Machine) -> None:
    machine.link_tools()
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    machine.write_container("container", running=True)
    run = machine.run(local_cluster_workers=2)
    assert run.returncode != 0
    message = " ".join(run.stdout.split())
    assert "It has 0 workers; local_cluster_workers asks for 2" in message
    assert "-e local_cluster_state=absent" in message
    assert machine.kind() == []


def test_a_cluster_with_a_dead_worker_is_made_anew(machine: Machine) -> None:
    machine.link_tools()
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    machine.write_container("container", running=True)
    (machine.state / "workers").write_text("demo-worker\ndemo-worker2\n")
    assert changed(machine.run(local_cluster_workers=2)) > 0
    assert machine.kind() == ["delete", "create"]


def test_a_first_run_without_a_registry_builds_in_order(machine: Machine) -> None:
    sources = machine.state / "docker"
    for script, body in (
        ("base/build", 'echo "base $*" >> "$STATE/build.log"'),
        ("kind-node/compile", f'echo "compile with $GO" >> "$STATE/build.log"; cp -r {machine.commands} "$1"'),
        ("kind-node/build", 'echo "node $*" >> "$STATE/build.log"'),
    ):
        (sources / script).parent.mkdir(parents=True, exist_ok=True)
        (sources / script).write_text(f'#!/bin/sh\nset -e\nmkdir -p "$(dirname "$1")"\n{body}\n')
        (sources / script).chmod(0o755)
    (sources / "kind-node" / "coredns").mkdir()
    (sources / "kind-node" / "kubernetes").mkdir()
    (sources / "kind-node" / "networkpolicy").mkdir()
    (sources / "kind-node" / "go.mod").write_text("go 1.26.8\n")
    (sources / "kind-node" / "go.sum").touch()
    for name, body in (("go", "echo go1.26.8"), ("mmdebstrap", "exit 0")):
        (machine.commands / name).write_text(f"#!/bin/sh\n{body}\n")
        (machine.commands / name).chmod(0o755)

    given = {"local_cluster_docker_dir": str(sources), "local_cluster_free_space": 0}
    assert changed(machine.run(local_cluster_source="build", **given)) > 0

    built = (machine.state / "build.log").read_text().splitlines()
    # The base image is begun beside the compiler, at any time; what waits for it gives the same command
    compiled = f"compile with {machine.commands}/go"
    base, node = (next(line for line in built if line.startswith(name)) for name in ("base", "node"))
    assert {*built} == {compiled, base, node}
    assert built.index(node) > max(built.index(compiled), built.index(base))
    base_image = base.split()[2]
    assert re.fullmatch("base docker localhost/agentsmith-base:[0-9a-f]{12}", base.strip())
    binaries = machine.state / "cache"
    assert re.fullmatch(
        rf"node docker {base_image} {binaries}/kind-node-[0-9a-f]{{12}}/bin "
        "localhost/agentsmith-kind-node:[0-9a-f]{12}",
        node,
    )
    config = yaml.safe_load((machine.state / "config").read_text())
    assert "networking" not in config, "the node image says what its network needs, as kind's own does"
    on_cgroup_v1 = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
    patches = [yaml.safe_load(patch) for patch in config.get("kubeadmConfigPatches", [])]
    assert [patch["failCgroupV1"] for patch in patches] == ([False] if on_cgroup_v1 else [])
    assert node.split()[-1] in (machine.state / "kind.log").read_text()
    assert binaries in (machine.state / "bin" / "kind").readlink().parents


def test_a_healthy_cluster_is_left_alone(machine: Machine) -> None:
    machine.link_tools()
    machine.write_container("container", running=True)
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    assert changed(machine.run()) == 0
    assert machine.kind() == []


def test_the_cluster_of_another_checkout_is_used(machine: Machine) -> None:
    machine.write_container("container", running=True)
    assert changed(machine.run()) > 0
    assert machine.kind() == ["export"]
    assert (machine.state / "kubeconfig").exists()
    assert changed(machine.run()) == 0


@pytest.mark.parametrize("death", ["its processes were killed", "its container has stopped"])
def test_a_dead_node_is_made_anew(machine: Machine, death: str) -> None:
    machine.link_tools()
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    machine.write_container("container", running=death == "its processes were killed")
    (machine.state / "killed").touch()
    assert changed(machine.run()) > 0
    assert machine.kind() == ["delete", "create"]


def test_prepared_supplies_the_tools_and_touches_no_cluster(machine: Machine) -> None:
    machine.write_container("container", running=False)
    with socket.create_server(("127.0.0.1", machine.port)):
        assert changed(machine.run(local_cluster_state="prepared")) > 0
        assert changed(machine.run(local_cluster_state="prepared")) == 0
    assert machine.kind() == []
    assert (machine.state / "bin" / "kubectl").readlink() == machine.commands / "kubectl"


def test_a_node_that_does_not_become_ready_is_made_anew(machine: Machine) -> None:
    machine.link_tools()
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    machine.write_container("container", running=True)
    (machine.state / "nodes").write_text('{"items": []}')
    assert changed(machine.run(local_cluster_ready_timeout=2)) > 0
    assert machine.kind() == ["delete", "create"]


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"local_cluster_host_port": 1234}, "30080/tcp at 1234"),
        ({"local_cluster_extra_ports": [{"node_port": 30090, "host_port": 8090}]}, "30090/tcp at 8090"),
    ],
)
def test_other_ports_for_a_cluster_that_runs_are_refused(
    machine: Machine, variables: dict[str, object], wanted: str
) -> None:
    machine.link_tools()
    machine.write_kubeconfig("kubeconfig", "kind-demo")
    machine.write_container("container", running=True)
    run = machine.run(**variables)
    assert run.returncode != 0
    message = " ".join(run.stdout.split())
    assert f"It has 30080/tcp at {machine.port}, 6443/tcp at 39547;" in message
    assert wanted in message
    assert "-e local_cluster_state=absent" in message
    assert machine.kind() == []


@pytest.mark.parametrize(("contexts", "left"), [(["kind-demo"], False), (["kind-demo", "production"], True)])
def test_absent_removes_the_cluster_and_a_kubeconfig_of_its_own(
    machine: Machine, contexts: list[str], left: bool
) -> None:
    machine.link_tools()
    machine.write_container("container", running=True)
    machine.write_kubeconfig("kubeconfig", *contexts)
    assert changed(machine.run(local_cluster_state="absent")) > 0
    assert machine.kind() == ["delete"]
    assert (machine.state / "kubeconfig").exists() is left


def test_absent_changes_nothing_where_nothing_is(machine: Machine) -> None:
    assert changed(machine.run(local_cluster_state="absent")) == 0
    assert machine.kind() == []


def test_check_mode_creates_nothing(machine: Machine) -> None:
    run = machine.run("--check")
    assert run.returncode == 0, run.stdout + run.stderr
    assert machine.kind() == []
