# SPDX-License-Identifier: GPL-3.0-or-later
"""What new_environment.yml writes is a whole environment: its first deploy passes as a preview."""

from __future__ import annotations

import subprocess

import yaml
from conftest import BIN, CHECKOUT, KUBECONFIG


def test_a_new_environment_passes_a_preview(tmp_path):
    answers = {
        "new_environment_name": "staging",
        "new_environment_parent": str(tmp_path),
        "new_environment_namespace": "agentsmith-staging",
        "new_environment_kubeconfig": str(KUBECONFIG),
        "new_environment_context": "kind-agentsmith-test",
        "new_environment_dispatcher_image": "registry.example/dispatcher:1",
        "new_environment_agent_image": "registry.example/agent:1",
        "new_environment_project": "agent-smith-test",
        "new_environment_repository": "https://github.com/example/agent-smith-test",
        "new_environment_slack_bot_token": "xoxb-1-2-abc",
        "new_environment_slack_signing_secret": "0123456789abcdef0123456789abcdef",
        "new_environment_github_token": "ghp_abc",
        "new_environment_anthropic_api_key": "sk-ant-abc",
        "new_environment_vault_password": "a password",
    }
    (tmp_path / "answers.yml").write_text(yaml.safe_dump(answers))
    (tmp_path / "password").write_text(answers["new_environment_vault_password"])
    for arguments in (
        ["playbooks/new_environment.yml", "-e", f"@{tmp_path}/answers.yml"],
        ["playbooks/deploy.yml", "-i", f"{tmp_path}/staging", "--vault-id", f"staging@{tmp_path}/password", "--check"],
    ):
        run = subprocess.run(
            [BIN / "ansible-playbook", *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert run.returncode == 0, run.stdout
