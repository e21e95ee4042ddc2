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
# What a role makes, and the variables with which it is not wanted any more: pods need what stands before them
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

Use = Callable[[dict[str, dict[str, Any]]], str]


@pytest.fixture
def use(control_plane: ControlPlane, namespace: str, tmp_path: Path, run_play: RunPlay) -> Use:
    """Run a playbook with a play for each of these roles, given with its variables, and return the count of results.

    A play sees nothing of the roles of another.
    """
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    defaults = {"group/agentsmith.platform.cluster": {"kubeconfig": str(kubeconfig)}}

    def run(roles: dict[str, dict[str, Any]]) -> str:
        plays = [
            {"module_defaults": defaults, "roles": [f"agentsmith.platform.{role}"], "vars": {**VARIABLES, **variables}}
            for role, variables in roles.items()
        ]
        ended = run_play(plays, {"agentsmith_namespace": namespace})
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "MARKED" not in ended.stdout + ended.stderr
        return next(line for line in ended.stdout.splitlines() if "changed=" in line)

    return run


def test_each_role_brings_its_part_and_takes_it_back(control_plane: ControlPlane, namespace: str, use: Use) -> None:
    paths = {role: path.format(namespace) for role, (path, _unwanted) in PARTS.items()}
    with stand_in_kubelet(control_plane, namespace, ready()):
        assert f"changed={len(PARTS)} " in use({role: {} for role in PARTS})
        assert [role for role, path in paths.items() if not control_plane.get(path)] == [], "what is not there"
        assert "changed=0 " in use({role: {} for role in PARTS})
        assert f"changed={len(PARTS)} " in use({role: PARTS[role][1] for role in reversed(PARTS)})
        assert [role for role, path in paths.items() if control_plane.get(path)] == [], "what is still there"
