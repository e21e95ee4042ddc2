# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml with several targets against a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from stand_in_kubelet import ready, stand_in_kubelet


def test_a_target_does_not_hold_its_lock_until_others_are_done(
    control_plane: ControlPlane, new_namespace: str, tmp_path: Path
) -> None:
    """The pods of one target start when the deploy of the other has come to its end."""
    quick, slow = f"{new_namespace}-quick", f"{new_namespace}-slow"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    inventory = tmp_path / "hosts.yml"
    hosts = {namespace: {"agentsmith_namespace": namespace} for namespace in (quick, slow)}
    variables = {"ansible_connection": "local", "agentsmith_kubeconfig": str(kubeconfig)}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")

    def status_of_slow(_pod: dict[str, Any]) -> dict[str, Any]:
        deployed = control_plane.get(f"/apis/apps/v1/namespaces/{quick}/deployments/redis")
        locked = control_plane.get(f"/apis/coordination.k8s.io/v1/namespaces/{quick}/leases/agentsmith-release")
        return ready() if deployed and not locked else {"phase": "Pending"}

    with stand_in_kubelet(control_plane, quick, ready()), stand_in_kubelet(control_plane, slow, status_of_slow):
        ended = ansible_playbook("playbooks/deploy.yml", f"--inventory={inventory}", "--tags=namespace,redis")
    assert ended.returncode == 0, ended.stdout + ended.stderr
