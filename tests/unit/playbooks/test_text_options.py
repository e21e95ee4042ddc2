# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that renders nothing refuses a number where a text belongs, too. Ansible would convert it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_playbook import ansible_playbook


@pytest.mark.parametrize(
    ("playbook", "variables", "fault"),
    [
        ("status", {"agentsmith_context": 83}, "context is a number."),
        ("teardown", {"agentsmith_namespace": True}, "namespace is a boolean."),
        ("rollback", {"agentsmith_instance": 1.1}, "transaction.instance is a fraction."),
    ],
)
def test_a_number_for_a_text_is_refused(
    tmp_path: Path, playbook: str, variables: dict[str, object], fault: str
) -> None:
    target = {"agentsmith_namespace": "agentsmith", "agentsmith_kubeconfig": str(tmp_path / "nowhere"), **variables}
    ended = ansible_playbook(f"playbooks/{playbook}.yml", "-i", "localhost,", "-c", "local", "-e", json.dumps(target))
    assert ended.returncode != 0
    assert f"{fault} Allowed: a text: put it in quotes" in " ".join(ended.stdout.split())
