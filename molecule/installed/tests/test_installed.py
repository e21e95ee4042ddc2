# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a release with the installed collection: each playbook by its full name, far from a checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conftest import CLUSTER, KUBECONFIG
from installed_collection import User, build, new_environment

NAMESPACE = "agentsmith-installed"
ENVIRONMENT = Path("inventories/staging")
SECRETS = {
    "github_token": "ghp_canary4711",
    "anthropic_api_key": "sk-canary4711",
    "slack_bot_token": "xoxb-1-canary4711",
}
RECAP = re.compile(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ")
ROLE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/agentsmith.platform.cluster: {context: CONTEXT}
  vars: {agentsmith_namespace: NAMESPACE}
  roles:
    - role: agentsmith.platform.namespace
"""


def interpreter(version: str) -> Path:
    """A Python of that version that can make virtual environments."""
    named = [path for path in (shutil.which(f"python{version}"),) if path]
    for path in [*map(Path, named), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")]:
        if subprocess.run([path, "-c", "import ensurepip, ssl, venv"], capture_output=True).returncode == 0:
            return path
    pytest.skip(f"no Python {version} runs here")


@dataclass(frozen=True)
class Newcomer(User):
    """A user who has installed the collection and has a release in mind."""

    def play(self, name: str, *arguments: object, changed: int | None = None) -> str:
        """Run a playbook by its full name on the user's inventory, and return its output."""
        options = ["-i", ENVIRONMENT, "--vault-id", "staging@password", *arguments]
        output = self.run("ansible-playbook", f"agentsmith.platform.{name}", *options)
        assert not [value for value in SECRETS.values() if value in output]
        (count,) = RECAP.findall(output)
        assert changed is None or int(count) == changed, output
        return output

    def setting(self, **variables: object) -> None:
        """Set variables in a file of the user's inventory."""
        (self.home / ENVIRONMENT / "group_vars/all/settings.yml").write_text(yaml.safe_dump(variables))


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """The built collection."""
    return build(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module", params=["newest", pytest.param("3.11", marks=pytest.mark.long)])
def user(request, archive, tmp_path_factory) -> Newcomer:
    """A user with one end of the supported versions: ansible-core and kubernetes, and nothing else."""
    python = Path(sys.base_prefix, "bin/python3") if request.param == "newest" else interpreter(request.param)
    home = tmp_path_factory.mktemp("home")
    programs = new_environment(python, tmp_path_factory.mktemp("environment"), ["ansible-core", "kubernetes"])
    newcomer = Newcomer(programs, home)
    newcomer.install(archive)
    (home / ".kube").mkdir()
    shutil.copy(KUBECONFIG, home / ".kube/config")
    return newcomer


@pytest.fixture(scope="module")
def images(playbook, tmp_path_factory) -> dict[str, str]:
    """The images that the cluster has, by the last part of their names."""
    file = tmp_path_factory.mktemp("images") / "images.txt"
    listed = playbook("playbooks/images.yml", "-e", f"images_file={file}")
    assert listed.returncode == 0, listed.output
    return {re.split("[/:]", image)[1]: image for image in file.read_text().split()}


@pytest.fixture
def removed(kubectl) -> Iterator[None]:
    """Nothing of the release is left in the end, whatever failed."""
    yield
    kubectl("delete namespace %s --ignore-not-found", NAMESPACE)


def answer(user: Newcomer, images: dict[str, str]) -> str:
    """Make the inventory as somebody without a terminal does, and return what was said."""
    given = {
        "name": "staging",
        "namespace": NAMESPACE,
        "context": f"kind-{CLUSTER}",
        "dispatcher_image": images["agentsmith-stand-in"],
        "agent_image": images["agentsmith-stand-in-agent"],
        "project": "agent-smith-test",
        "repository": "https://github.com/example/agent-smith-test",
        "slack_signing_secret": "0123456789abcdef" * 2,
        "vault_password": "a password",
        **SECRETS,
    }
    answers = user.home / "answers.yml"
    answers.write_text(yaml.safe_dump({f"new_environment_{name}": value for name, value in given.items()}))
    (user.home / "password").write_text(given["vault_password"])
    return user.run("ansible-playbook", "agentsmith.platform.new_environment", "-e", f"@{answers}")


def change_vault(user: Newcomer, **values: str) -> None:
    """Give variables of the Vault file new values, as its owner does."""
    vault = user.home / ENVIRONMENT / "group_vars/all/vault.yml"
    identity = ["--vault-id", "staging@password"]
    content = yaml.safe_load(user.run("ansible-vault", "view", *identity, vault)) | values
    user.run("ansible-vault", "encrypt", *identity, "--output", vault, "-", stdin=yaml.safe_dump(content))


@pytest.mark.usefixtures("removed")
def test_a_release_lives_by_full_names(user: Newcomer, archive: Path, images: dict[str, str], kubectl, get) -> None:
    installed = user.content(".ansible/collections")
    said = answer(user, images)
    assert f"agentsmith.platform.deploy -i {user.home / ENVIRONMENT} " in " ".join(said.split())
    # What a user of a cluster without the roles' default registry sets
    user.setting(redis_image=images["agentsmith-redis"])

    user.play("deploy", "--check", "--diff")
    assert not kubectl("get namespace %s --ignore-not-found -o name", NAMESPACE), "a preview wrote"
    user.play("deploy")
    user.play("deploy", changed=0)
    assert re.search(r"^\W*challenge +ok ", user.play("verify", changed=0), re.MULTILINE)
    status = user.play("status", changed=0)
    assert re.search(r"^\W*agentsmith-dispatcher +1/1 ", status, re.MULTILINE), status
    user.play("drift", changed=0)
    user.play("render", "-e", "render_dir=rendered")
    assert (user.home / "rendered/Kustomization").is_file()
    user.play("images", "-e", "images_file=images.txt")
    assert sorted((user.home / "images.txt").read_text().split()) == sorted(images.values())

    change_vault(user, vault_github_token="ghp_canary4711-second")
    assert "github-token" in user.play("rotate_secrets", "-e", "rotate_secrets_keys=github-token")
    user.setting(redis_image=images["agentsmith-redis"], redis_maxmemory="200mb")
    user.play("deploy")
    before = get("deployment/redis", NAMESPACE)["metadata"]["generation"]
    user.play("rollback")
    assert get("deployment/redis", NAMESPACE)["metadata"]["generation"] == before + 1
    assert "No channel is stuck." in user.play("unblock", changed=0)

    written = user.content("inventories", "rendered")
    user.install(archive)
    assert user.content("inventories", "rendered") == written, "an installation took something away"
    assert user.content(".ansible/collections") == installed, "something wrote into the installed collection"
    user.play("teardown", "-e", f"teardown_confirm={NAMESPACE}")
    assert not kubectl("get namespace %s --ignore-not-found -o name", NAMESPACE)


@pytest.mark.usefixtures("removed")
def test_a_role_alone(user: Newcomer, get) -> None:
    playbook = user.home / "site.yml"
    playbook.write_text(ROLE.replace("CONTEXT", f"kind-{CLUSTER}").replace("NAMESPACE", NAMESPACE))
    assert RECAP.findall(user.run("ansible-playbook", playbook)) == ["1"]
    assert RECAP.findall(user.run("ansible-playbook", playbook)) == ["0"]
    assert get("networkpolicy/default-deny", NAMESPACE)
