# SPDX-License-Identifier: GPL-3.0-or-later
"""What an unchanged deploy asks of a real API server, and what it loads. The numbers are exact."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from fault_proxy import running_fault_proxy
from load_report import OF_THE_CACHE, LoadReport
from stand_in_kubelet import ready, stand_in_kubelet

# Version and discovery; record and lock; a list each of the 9 kinds of a release, beside the Secret and the Namespace;
# a list each of the 9 other kinds that a release may have had
REQUESTS = 3 + 2 + 9 + 2 + 9


def test_an_unchanged_deploy_asks_and_loads_no_more_than_it_did(
    control_plane: ControlPlane, new_namespace: str, tmp_path: Path
) -> None:
    report = LoadReport(tmp_path, tmp_path / "cache")
    kubeconfig = tmp_path / "kubeconfig"
    variables = {
        "agentsmith_namespace": new_namespace,
        "agentsmith_kubeconfig": str(kubeconfig),
        "agentsmith_context": "test",
        "dispatcher_service_type": "ClusterIP",
        "verify_only": ["redis_rollout", "dispatcher_rollout"],
    }

    def deploy() -> str:
        report.forget()
        ended = ansible_playbook(
            "playbooks/deploy.yml",
            "--inventory=inventories/dev",
            f"--extra-vars={json.dumps(variables)}",
            **report.environment,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    with running_fault_proxy(control_plane, tls=True) as proxy:
        kubeconfig.write_text(control_plane.kubeconfig(server=proxy.url), encoding="utf-8")
        with stand_in_kubelet(control_plane, new_namespace, ready()):
            assert "changed=0" not in deploy()
        for _ in range(2):
            proxy.seen.clear()
            assert "changed=0" in deploy()
            assert Counter(seen.method for seen in proxy.seen) == {"GET": REQUESTS}
    assert report.counts() == {"compiled modules": OF_THE_CACHE}
