# SPDX-License-Identifier: GPL-3.0-or-later
"""The role in a play: one message with everything, no cluster where none is needed, and no value in any output."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_playbook import ansible_playbook

REQUIRED = [
    {"key": "github-token", "reasons": ["projects.web.source.type: GitHub", "projects.web.tickets.type: GitHub"]},
    {"key": "anthropic-api-key", "reasons": ["projects.web.agent.type: Claude"]},
]
KEYS = ["slack-bot-token", "slack-signing-secret", "redis-url"]

CASES: dict[str, dict[str, Any]] = {
    "complete": {"preflight_secret_keys": [*KEYS, "github-token", "anthropic-api-key"]},
    "missing": {"preflight_secret_keys": [*KEYS, "jira-token"], "preflight_secret_name": "other"},
    "unused": {"preflight_secret_keys": [*KEYS, "github-token", "anthropic-api-key", "jira-token", "jira-email"]},
    "silent": {
        "preflight_secret_keys": [*KEYS, "github-token", "anthropic-api-key", "jira-token"],
        "preflight_report_unused_keys": False,
    },
    "live": {},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the role says for each case. There is no cluster: whoever asks for one gets no answer."""
    directory = tmp_path_factory.mktemp("preflight")
    role = {"name": "agentsmith.platform.preflight"}
    tasks = [
        {
            "name": case,
            "ansible.builtin.include_role": role,
            "vars": {"preflight_required_secrets": REQUIRED, **variables},
        }
        for case, variables in CASES.items()
    ]
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "ignore_errors": True,
        "vars": {"agentsmith_namespace": "smith"},
        "module_defaults": {"group/agentsmith.platform.cluster": {"kubeconfig": f"{directory}/nowhere"}},
        "tasks": tasks,
    }
    (directory / "play.yml").write_text(yaml.safe_dump([play]))
    process = ansible_playbook(
        "-i", "localhost,", directory / "play.yml", "-vvv", "--check", ANSIBLE_CALLBACK_RESULT_FORMAT="json"
    )
    found = []
    for part in process.stdout.split("\nTASK [agentsmith.platform.preflight : Check the keys")[1:]:
        start = part.index("=> {") + 3
        found.append({**json.JSONDecoder().raw_decode(part, start)[0], "output": part, "stderr": process.stderr})
    assert len(found) == len(CASES), process.stdout + process.stderr
    return dict(zip(CASES, found, strict=True))


def test_a_complete_secret_passes_in_silence(results: dict[str, dict[str, Any]]) -> None:
    assert "msg" not in results["complete"]
    assert results["complete"]["changed"] is False
    assert results["complete"]["unused"] == []


def test_all_missing_keys_are_in_one_message(results: dict[str, dict[str, Any]]) -> None:
    lines = results["missing"]["msg"].splitlines()
    assert lines[0].startswith("The Secret smith/other does not fit the configuration. Correct the Vault file")
    assert lines[0].endswith("nothing was applied.")
    assert lines[1:] == [
        "- it has no github-token: set vault_github_token. Needed by projects.web.source.type: GitHub; "
        "projects.web.tickets.type: GitHub.",
        "- it has no anthropic-api-key: set vault_anthropic_api_key. Needed by projects.web.agent.type: Claude.",
    ]


def test_unused_keys_are_one_warning_that_can_be_switched_off(results: dict[str, dict[str, Any]]) -> None:
    warnings = " ".join(results["unused"]["stderr"].split())
    assert results["unused"]["unused"] == ["jira-email", "jira-token"]
    assert results["silent"]["unused"] == ["jira-token"]
    assert warnings.count("[WARNING]: Nothing in the configuration uses") == 1
    assert "the Secret smith/agentsmith-secrets: jira-email, jira-token. Leave them out" in warnings


def test_without_keys_the_cluster_is_asked(results: dict[str, dict[str, Any]]) -> None:
    assert "nowhere" in results["live"]["msg"]
    assert "Traceback" not in results["live"]["output"]
