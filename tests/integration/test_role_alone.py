# SPDX-License-Identifier: GPL-3.0-or-later
"""Each part of the stack as a role in a playbook of one's own, without the playbooks of the collection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane
from engine import RunPlay
from stand_in_kubelet import ready, stand_in_kubelet

PROJECT = {
    "source": {"type": "GitHub", "url": "https://github.com/example/web"},
    "tickets": {"type": "GitHub", "url": "https://github.com/example/web"},
    "agent": {"type": "Claude", "model": "m", "pricing": {"models": {"m": {"input_per_million": 3.0}}}},
    "pipeline": "fix",
}
VARIABLES: dict[str, Any] = {
    "vault_slack_bot_token": "xoxb-MARKED-bot",
    "vault_slack_signing_secret": "0badc0de" * 4,
    "config_agentsmith": {"projects": {"web": PROJECT}, "pipelines": {"fix": {"commands": ["CheckoutSourceCommand"]}}},
    "extra_objects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "more", "namespace": "{{ agentsmith_namespace }}"},
            "data": {"key": "value"},
        }
    ],
    "agentsmith_job_policy": True,
    "quota_hard": {"pods": "10"},
}
# What a role makes, and the variables without which it is not wanted any more
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "namespace": (
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/default-deny",
        {"namespace_default_deny": False},
    ),
    "secrets": ("/api/v1/namespaces/{}/secrets/agentsmith-secrets", {"secrets_existing_name": "of-others"}),
    "config": ("/api/v1/namespaces/{}/configmaps/agentsmith-config", {"config_name": "another"}),
    "redis": ("/apis/apps/v1/namespaces/{}/deployments/redis", {"redis_enabled": False}),
    "rbac": ("/api/v1/namespaces/{}/serviceaccounts/agentsmith", {"agentsmith_service_account_name": "other"}),
    "dispatcher": (
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/agentsmith-dispatcher",
        {"dispatcher_network_policy_enabled": False},
    ),
    "job_policy": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/agentsmith-jobs.agentsmith.{}",
        {"job_policy_enabled": False},
    ),
    "extra": ("/api/v1/namespaces/{}/configmaps/more", {"extra_objects": []}),
    "quota": ("/api/v1/namespaces/{}/resourcequotas/agentsmith", {"quota_enabled": False}),
}

Use = Callable[[str, dict[str, Any]], str]


@pytest.fixture
def use(control_plane: ControlPlane, namespace: str, tmp_path: Path, run_play: RunPlay) -> Use:
    """Run a playbook of one role in the namespace, and return the line that counts its results."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def run(role: str, variables: dict[str, Any]) -> str:
        defaults = {"group/agentsmith.platform.cluster": {"kubeconfig": str(kubeconfig)}}
        keywords = {"module_defaults": defaults, "roles": [f"agentsmith.platform.{role}"]}
        ended = run_play(keywords, {**VARIABLES, **variables, "agentsmith_namespace": namespace})
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "MARKED" not in ended.stdout + ended.stderr
        return next(line for line in ended.stdout.splitlines() if "changed=" in line)

    return run


@pytest.mark.parametrize("role", PARTS)
def test_a_role_brings_its_part_and_takes_it_back(
    control_plane: ControlPlane, namespace: str, use: Use, role: str
) -> None:
    path, unwanted = PARTS[role][0].format(namespace), PARTS[role][1]
    with stand_in_kubelet(control_plane, namespace, ready()):
        for other in ("secrets", "rbac") if role == "dispatcher" else ():  # without which its pods would not start
            use(other, {})
        assert "changed=1 " in use(role, {})
        assert control_plane.get(path), "it is there"
        assert "changed=0 " in use(role, {})
        assert "changed=1 " in use(role, unwanted)
        assert control_plane.get(path) is None, "it is gone"
