# SPDX-License-Identifier: GPL-3.0-or-later
"""What would fail in Slack fails before the first write: broken Vault files and configurations, as users give them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import BIN, CHECKOUT

OWNED = (
    "namespaces,serviceaccounts,roles,rolebindings,secrets,configmaps,services,deployments,"
    "statefulsets,jobs,ingresses,networkpolicies,poddisruptionbudgets,resourcequotas,limitranges"
)
MARKED = "canary4711"

CONFIG = """\
config_agentsmith:
  projects:
    web:
      source: {type: GitHub, url: https://github.com/example/web}
      tickets: {type: GitHub, url: https://github.com/example/web}
      agent: {type: Claude, model: m, pricing: {models: {m: {input_per_million: 3.0}}}}
      pipeline: fix-bug
  pipelines:
    fix-bug:
      commands:
        - CheckoutSourceCommand
"""

# name -> (variables of the Vault file, the configuration, what the message must have). At least ten, one for each kind
# of check: the rest of what is refused is in tests/unit/roles/test_roles_bad_input.py and tests/unit/config_check.
BROKEN: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "app-token-for-bot-token": (
        {"vault_slack_bot_token": f"xapp-{MARKED}"},
        CONFIG,
        ["secrets_slack_bot_token is the app-level token", "vault_slack_bot_token"],
    ),
    "empty-signing-secret": (
        {"vault_slack_signing_secret": ""},
        CONFIG,
        ["secrets_slack_signing_secret is empty, so the app would check no signature", "vault_slack_signing_secret"],
    ),
    "token-with-line-end": (
        {"vault_github_token": f"ghp_{MARKED}\n"},
        CONFIG,
        ["secrets_github_token ends with a line end", "vault_github_token"],
    ),
    "token-of-digits": (
        {"vault_anthropic_api_key": 47114711471147114711},
        CONFIG,
        ["secrets_anthropic_api_key is not a string", "vault_anthropic_api_key"],
    ),
    "redis-password-with-comma": (
        {"vault_redis_url": f"cache:6379,password=4711,{MARKED}"},
        CONFIG,
        ["secrets_redis_url has text after the password, item 3", "cannot hold a comma"],
    ),
    "several-values-at-once": (
        {"vault_slack_bot_token": "", "vault_jira_token": f" {MARKED}", "vault_redis_url": ""},
        CONFIG,
        ["secrets_slack_bot_token is empty", "secrets_jira_token has white space", "secrets_redis_url is empty"],
    ),
    "github-without-its-token": (
        {"vault_github_token": "", "vault_anthropic_api_key": None},
        CONFIG,
        [
            "it has no github-token: set vault_github_token. Needed by projects.web.source.type: GitHub; projects.web",
            "it has no anthropic-api-key: set vault_anthropic_api_key. Needed by projects.web.agent.type: Claude.",
        ],
    ),
    "jira-without-its-account": (
        {"vault_jira_email": "", "vault_jira_token": ""},
        CONFIG.replace(
            "tickets: {type: GitHub, url: https://github.com/example/web}", "tickets: {type: Jira, url: https://j}"
        ),
        ["it has no jira-email: set vault_jira_email", "it has no jira-token", "projects.web.tickets.type: Jira"],
    ),
    "unknown-pipeline": (
        {},
        CONFIG.replace("pipeline: fix-bug", "pipeline: fix-bugs"),
        ["config.yml:7: projects.web.pipeline: ", "fix-bugs"],
    ),
    "unknown-command": (
        {},
        CONFIG.replace("CheckoutSourceCommand", "CheckoutCommand"),
        ["config.yml:11: pipelines.fix-bug.commands[0]: ", "CheckoutSourceCommand"],
    ),
    "project-that-chat-cannot-reach": (
        {},
        CONFIG.replace("    web:", "    web2:"),
        ["config.yml:3: projects.web2: ", "web2"],
    ),
    "file-that-is-no-yaml": (
        {},
        "projects:\n  web: [\n",
        ["agentsmith.yml:2: ", "nothing closes this `[`"],
    ),
}


@pytest.fixture
def vault(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """An encrypted Vault file with these variables, which go before those of the inventory."""

    def write(variables: dict[str, Any]) -> Path:
        path = tmp_path / "vault.yml"
        subprocess.run(
            [BIN / "ansible-vault", "encrypt", "--output", path, "-"],
            env={**os.environ, "ANSIBLE_VAULT_PASSWORD_FILE": str(CHECKOUT / "inventories/dev.vault-password")},
            input=yaml.safe_dump(variables),
            cwd=CHECKOUT,
            text=True,
            capture_output=True,
            check=True,
        )
        assert path.read_text().startswith("$ANSIBLE_VAULT;")
        return path

    return write


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], list[str]]:
    """The arguments that give a configuration: as a variable, or, of a text without the variable's name, as a file."""

    def write(text: str) -> list[str]:
        if text.startswith("config_agentsmith:"):
            path = tmp_path / "config.yml"
            arguments = ["-e", f"@{path}"]
        else:
            path = tmp_path / "agentsmith.yml"
            arguments = ["-e", f"config_file={path}", "-e", '{"config_agentsmith": {}}']
        path.write_text(text)
        return arguments

    return write


@pytest.fixture
def versions(get: Callable[[str], Any]) -> Callable[[], dict[str, str]]:
    """The versions of all objects of ours in the namespace, of any kind; a write changes or adds one."""

    def read() -> dict[str, str]:
        items = [*get(OWNED.removeprefix("namespaces,")), get("namespace/agentsmith")]
        found = {}
        for item in items:
            metadata = item["metadata"]
            version = metadata["resourceVersion"]
            # Controllers write the status of these two, of a quota whenever a pod of the test before is gone at last. A
            # Deployment's generation counts changes of what was asked for; a quota has none.
            if item["kind"] == "Deployment":
                version = metadata["generation"]
            if item["kind"] == "ResourceQuota":
                version = json.dumps([metadata["labels"], metadata.get("annotations"), item["spec"]], sort_keys=True)
            found[f"{item['kind']}/{metadata['name']}"] = f"{metadata['uid']} {version}"
        return found

    return read


@pytest.mark.parametrize("name", BROKEN)
def test_broken_input_names_the_key_and_touches_nothing(playbook, versions, vault, config, name):
    variables, text, expected = BROKEN[name]
    before = versions()
    assert {"Secret/agentsmith-secrets", "Deployment/redis", "Namespace/agentsmith"} <= before.keys()
    run = playbook("playbooks/deploy.yml", "-e", f"@{vault(variables)}", *config(text))
    assert run.returncode != 0
    for part in expected:
        assert part in " ".join(run.output.split()), run.output
    assert not re.search(rf"{MARKED}|4711|Traceback", run.output)
    assert versions() == before


def test_a_sound_vault_file_passes(playbook, versions, vault):
    """The control: given in the same way, with a URL that converts to the address that is deployed already."""
    before = versions()
    run = playbook("playbooks/deploy.yml", "-e", f"@{vault({'vault_redis_url': 'redis://redis:6379'})}")
    assert run.returncode == 0, run.output
    assert re.search(r"changed=0 .*failed=0", run.output)
    assert versions() == before


def test_a_changed_configuration_alone_restarts_nothing_and_says_so(playbook, get, pod_of, config):
    text = "# A comment that stays\n" + yaml.safe_dump(yaml.safe_load(CONFIG)["config_agentsmith"])
    pods = {app: pod_of(app)["metadata"]["name"] for app in ("redis", "agentsmith-dispatcher")}
    try:
        run = playbook("playbooks/deploy.yml", *config(text))
        assert run.returncode == 0, run.output
        assert "Only the configuration changed, which restarts nothing" in run.output
        assert get("configmap/agentsmith-config")["data"] == {"agentsmith.yml": text}
        assert {app: pod_of(app)["metadata"]["name"] for app in pods} == pods
    finally:
        restored = playbook("playbooks/deploy.yml")
    assert restored.returncode == 0, restored.output
