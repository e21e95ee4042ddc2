# SPDX-License-Identifier: GPL-3.0-or-later
"""What render.yml writes, with the real kustomize and kubectl: both layouts are alike, and drift.yml goes on."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from production_copy import PASSWORD_SOURCE, copy_production
from required_variables import REQUIRED

TARGETS = ("prod-eu", "prod-us")


def kubectl(*arguments: object) -> str:
    command = [Path(os.environ["AGENTSMITH_KUBERNETES_BIN"], "kubectl"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def playbook(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return ansible_playbook(f"playbooks/{name}.yml", *arguments)


@pytest.mark.usefixtures("control_plane")
def test_kustomize_makes_the_same_of_both_layouts(tmp_path: Path) -> None:
    copy_production(tmp_path / "inventory")
    # Two namespaces, and with the admission policies objects whose names have it
    hosts = {target: {"agentsmith_namespace": f"ns-{target}", "agentsmith_job_policy": True} for target in TARGETS}
    (tmp_path / "inventory/more.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    options = ["-i", tmp_path / "inventory", "--vault-id", f"prod@{PASSWORD_SOURCE}"]
    for layout, directory in {"flat": "{{ inventory_hostname }}", "overlays": ""}.items():
        where = f"render_dir={tmp_path}/{layout}/{directory}"
        rendered = playbook("render", *options, "-e", f"render_layout={layout}", "-e", where)
        assert rendered.returncode == 0, rendered.stdout
    for target in TARGETS:
        made = kubectl("kustomize", tmp_path / "overlays/overlays" / target)
        assert made == kubectl("kustomize", tmp_path / "flat" / target)
        assert f"namespace: ns-{target}" in made


@pytest.mark.parametrize("server_side", [False, True], ids=["client side", "server side"])
def test_drift_compares_what_kubectl_has_applied(
    control_plane: ControlPlane, namespace: str, tmp_path: Path, server_side: bool
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    # The namespace is there already: its controller and kubectl might make its ServiceAccount at the same time
    values = {"agentsmith_namespace": namespace, "agentsmith_kubeconfig": str(kubeconfig)}
    # The Secret is of others
    values["secrets_existing_name"] = "by-hand"
    inventory = tmp_path / "hosts.yml"
    target = {"ansible_connection": "local", **REQUIRED, **values}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"one": target}}}))
    overlays = ("-e", "render_layout=overlays", "-e", f"render_dir={tmp_path}/out")
    rendered = playbook("render", "-i", inventory, *overlays)
    assert rendered.returncode == 0, rendered.stdout
    cluster = (f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}/cache")
    kubectl(*cluster, "apply", f"--server-side={server_side}".lower(), "-k", tmp_path / "out/overlays/one")

    same = playbook("drift", "-i", inventory)
    assert same.returncode == 0, same.stdout
    assert "match the inventory" in same.stdout
    # Without --server-side kubectl records what the server fills in as its own
    assert not server_side or "Others changed" not in same.stdout, same.stdout
    kubectl(*cluster, "-n", namespace, "scale", "deployment", "redis", "--replicas=0")
    changed = playbook("drift", "-i", inventory)
    assert changed.returncode == 2, changed.stdout
    assert re.search(r"Deployment redis +spec\.replicas +1 +0 ", changed.stdout), changed.stdout
