# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a release with the installed collection: each playbook by its full name, far from a checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import CLUSTER
from installed_collection import built_archive, new_environment  # noqa: F401  a fixture
from namespaces import removed
from newcomer import ENVIRONMENT, RECAP, Newcomer, cluster_images

NAMESPACE = "agentsmith-installed"
# The ends of the supported versions. Where 3.11 is the newest Python, one release lives, not two of the same
NEWEST, OLDEST = f"{sys.version_info[0]}.{sys.version_info[1]}", "3.11"
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


@pytest.fixture(scope="module", params=dict.fromkeys((NEWEST, OLDEST)))
def user(request, archive, tmp_path_factory) -> Newcomer:
    """A user with one end of the supported versions: ansible-core and kubernetes, and nothing else."""
    python = Path(sys.base_prefix, "bin/python3") if request.param == NEWEST else interpreter(request.param)
    home = tmp_path_factory.mktemp("home")
    programs = new_environment(python, tmp_path_factory.mktemp("environment"), ["ansible-core", "kubernetes"])
    newcomer = Newcomer(programs, home)
    newcomer.install(archive)
    newcomer.take_kubeconfig()
    return newcomer


@pytest.fixture(scope="module")
def images(playbook, tmp_path_factory) -> dict[str, str]:
    """The images that the cluster has, by the last part of their names."""
    return cluster_images(playbook, tmp_path_factory.mktemp("images"))


@pytest.fixture(autouse=True)
def nothing_left(kubectl) -> Iterator[None]:
    """Nothing of the release is left in the end."""
    with removed(kubectl, NAMESPACE):
        yield


def change_vault(user: Newcomer, **values: str) -> None:
    """Give variables of the Vault file new values, as its owner does."""
    vault = user.home / ENVIRONMENT / "group_vars/all/vault.yml"
    identity = ["--vault-id", "staging@password"]
    content = yaml.safe_load(user.run("ansible-vault", "view", *identity, vault)) | values
    user.run("ansible-vault", "encrypt", *identity, "--output", vault, "-", stdin=yaml.safe_dump(content))


def test_a_release_lives_by_full_names(user: Newcomer, archive: Path, images: dict[str, str], kubectl, get) -> None:
    installed = user.content(".ansible/collections")
    said = user.answer(images, NAMESPACE)
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
    assert "No Jobs" in user.play("jobs", changed=0)
    assert re.search(r"\brollback\b.*\bsucceeded\b", user.play("history", changed=0))
    user.play("support_bundle", "-e", f"support_bundle_dir={user.home}", changed=0)
    assert len([*user.home.glob("agentsmith-support-*.tar.gz")]) == 1

    written = user.content("inventories", "rendered")
    user.install(archive)
    assert user.content("inventories", "rendered") == written, "an installation took something away"
    assert user.content(".ansible/collections") == installed, "something wrote into the installed collection"
    user.play("teardown", "-e", f"teardown_confirm={NAMESPACE}")
    assert not kubectl("get namespace %s --ignore-not-found -o name", NAMESPACE)


def test_a_role_alone(user: Newcomer, get) -> None:
    playbook = user.home / "site.yml"
    playbook.write_text(ROLE.replace("CONTEXT", f"kind-{CLUSTER}").replace("NAMESPACE", NAMESPACE))
    assert RECAP.findall(user.run("ansible-playbook", playbook)) == ["1"]
    assert RECAP.findall(user.run("ansible-playbook", playbook)) == ["0"]
    assert get("networkpolicy/default-deny", NAMESPACE)
