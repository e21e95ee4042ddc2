# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who has installed the collection and has a release in mind, on the cluster of the tests."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from conftest import CLUSTER, KUBECONFIG, spellings
from installed_collection import User

ENVIRONMENT = Path("inventories/staging")
SECRETS = {
    "github_token": "ghp_canary4711",
    "anthropic_api_key": "sk-canary4711",
    "slack_bot_token": "xoxb-1-canary4711",
    "slack_signing_secret": "0123456789abcdef" * 2,
}
RECAP = re.compile(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ")


def assert_no_secret(output: str) -> None:
    """See that no value of the inventory's Secret is in an output, in whatever spelling."""
    assert not [name for name, value in SECRETS.items() for spelling in spellings(value) if spelling in output]


@dataclass(frozen=True)
class Newcomer(User):
    """A user who makes an inventory and runs the playbooks on it, each by its full name."""

    def play(self, name: str, *arguments: object, changed: int | None = None) -> str:
        """Run a playbook by its full name on the user's inventory, and return its output."""
        options = ["-i", ENVIRONMENT, "--vault-id", "staging@password", *arguments]
        output = self.run("ansible-playbook", f"agentsmith.platform.{name}", *options)
        assert_no_secret(output)
        (count,) = RECAP.findall(output)
        assert changed is None or int(count) == changed, output
        return output

    def take_kubeconfig(self) -> None:
        """Have the kubeconfig of the cluster where everybody looks for it."""
        (self.home / ".kube").mkdir()
        shutil.copy(KUBECONFIG, self.home / ".kube/config")

    def setting(self, **variables: object) -> None:
        """Set variables in a file of the user's inventory."""
        (self.home / ENVIRONMENT / "group_vars/all/settings.yml").write_text(yaml.safe_dump(variables))

    def answer(self, images: dict[str, str], namespace: str) -> str:
        """Make the inventory as somebody without a terminal does, and return what was said."""
        given = {
            "name": ENVIRONMENT.name,
            "namespace": namespace,
            "context": f"kind-{CLUSTER}",
            "dispatcher_image": images["agentsmith-stand-in"],
            "agent_image": images["agentsmith-stand-in-agent"],
            "project": "agent-smith-test",
            "repository": "https://github.com/example/agent-smith-test",
            "vault_password": "a password",
            **SECRETS,
        }
        answers = self.home / "answers.yml"
        answers.write_text(yaml.safe_dump({f"new_environment_{name}": value for name, value in given.items()}))
        (self.home / "password").write_text(given["vault_password"])
        return self.run("ansible-playbook", "agentsmith.platform.new_environment", "-e", f"@{answers}")


def cluster_images(playbook: Callable[..., object], directory: Path) -> dict[str, str]:
    """Return the images that the cluster has, by the last part of their names."""
    file = directory / "images.txt"
    listed = playbook("playbooks/images.yml", "-e", f"images_file={file}")
    assert listed.returncode == 0, listed.output
    return {re.split("[/:]", image)[1]: image for image in file.read_text().split()}
