# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml with several targets, of which one is in trouble."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane

DEAD = "a-dead"


def fine(number: int) -> list[str]:
    """Return the names of so many targets, in the order in which Ansible shows them."""
    return [f"fine-{index:02}" for index in range(number)]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def deploy(
    control_plane: ControlPlane, directory: Path, prefix: str, dead: str, names: list[str], *options: str
) -> subprocess.CompletedProcess[str]:
    """Deploy the namespaces of a fleet. The first target of the inventory has the dead server."""
    hosts = {}
    for name in (DEAD, *names):
        kubeconfig = directory / f"{name}.kubeconfig"
        kubeconfig.write_text(control_plane.kubeconfig(server=dead if name == DEAD else None), encoding="utf-8")
        hosts[name] = {"agentsmith_namespace": f"{prefix}-{name}", "agentsmith_kubeconfig": str(kubeconfig)}
    inventory = directory / "hosts.yml"
    variables = {"ansible_connection": "local"}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    return ansible_playbook("playbooks/deploy.yml", f"--inventory={inventory}", "--tags=namespace", *options)


def made(control_plane: ControlPlane, prefix: str, names: list[str]) -> list[str]:
    """Return the targets whose release is there, and not locked."""
    spaces = {name: f"/api/v1/namespaces/{prefix}-{name}" for name in names}
    leases = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/agentsmith-release"
    return [
        name
        for name, path in spaces.items()
        if control_plane.get(path) and not control_plane.get(leases.format(f"{prefix}-{name}"))
    ]


# Twenty with Ansible's own number of forks; and few with two, of which the dead one holds one
@pytest.mark.parametrize(("forks", "others"), [(5, 19), (2, 4)])
def test_a_dead_server_fails_its_own_target_alone(
    control_plane: ControlPlane, new_namespace: str, tmp_path: Path, silent: str, forks: int, others: int
) -> None:
    names = fine(others)
    preview = deploy(control_plane, tmp_path, new_namespace, silent, names, f"--forks={forks}", "--check")
    assert made(control_plane, new_namespace, names) == []
    ended = deploy(control_plane, tmp_path, new_namespace, silent, names, f"--forks={forks}")
    assert ended.returncode == 2, ended.stdout
    assert made(control_plane, new_namespace, names) == names
    summary = ended.stdout[ended.stdout.index("TARGETS *") :].splitlines()[1:]
    assert summary[0].startswith(f"{DEAD}: failed: The API server {silent} ")
    for name, line in zip(names, summary[1:], strict=False):
        assert re.fullmatch(rf"{name}: [1-9]\d* objects changed", line)
        assert re.search(rf"^{name}: [1-9]\d* objects would be changed$", preview.stdout, re.MULTILINE)
    assert re.fullmatch(rf"{others} of {others + 1} targets done in \d+ s; failed: {DEAD}", summary[1 + others])
    print(f"\n{summary[1 + others]} (forks {forks})")
    again = deploy(control_plane, tmp_path, new_namespace, silent, names, f"--limit={names[0]},{names[1]}")
    assert f"{names[0]}: unchanged\n{names[1]}: unchanged\n2 of 2 targets done in" in again.stdout
    alone = deploy(control_plane, tmp_path, new_namespace, silent, names, f"--limit={names[0]}")
    assert alone.returncode == 0 and "TARGETS" not in alone.stdout


def test_targets_one_after_the_other_stop_at_the_first_that_fails(
    control_plane: ControlPlane, new_namespace: str, tmp_path: Path, silent: str
) -> None:
    names = fine(4)
    ended = deploy(control_plane, tmp_path, new_namespace, silent, names, "--extra-vars=deploy_serial=1")
    assert ended.returncode == 2, ended.stdout
    assert made(control_plane, new_namespace, names) == []
