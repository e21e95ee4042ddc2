# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout works wherever it is, even if everybody may write and execute it and Ansible ignores its ansible.cfg."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from required_variables import REQUIRED

CHECKOUT = Path(__file__).parents[3]
NOT_CHECKED_OUT = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache", ".ansible")
IGNORED = "world writable directory"


def run(directory: Path, program: str, *arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Run a program of Ansible as somebody does who has set up nothing; return its exit status and what it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    ended = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=directory,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on a file system without permissions, such as those of Windows."""
    directory = shutil.copytree(CHECKOUT, tmp_path / "checkout", symlinks=True, ignore=NOT_CHECKED_OUT)
    for path in [directory, *directory.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o777)
    return directory


@pytest.fixture
def own_inventory(tmp_path: Path) -> Path:
    """An inventory of somebody's own, without a Vault file."""
    (tmp_path / "own.yml").write_text(yaml.safe_dump({"all": {"hosts": {"one": {}}, "vars": REQUIRED}}))
    return tmp_path / "own.yml"


def images(checkout: Path, inventory: Path, cwd: Path) -> tuple[int, str]:
    return run(cwd, "ansible-playbook", checkout / "playbooks/images.yml", "-i", inventory, "--tags", "secrets")


def test_everybody_may_write_and_execute_it(checkout: Path) -> None:
    status, said = images(checkout, checkout / "inventories/dev", cwd=checkout)
    assert (status, IGNORED in said) == (0, True), said


def test_its_playbooks_run_from_another_directory(own_inventory: Path, tmp_path: Path) -> None:
    status, said = images(CHECKOUT, own_inventory, cwd=tmp_path)
    assert status == 0, said


def test_without_the_development_password_the_other_inventories_work(checkout: Path, own_inventory: Path) -> None:
    checkout.chmod(0o755)  # so that ansible.cfg counts
    (checkout / "inventories/dev.vault-password").unlink()
    status, said = images(checkout, own_inventory, cwd=checkout)
    assert (status, IGNORED in said) == (0, False), said
    status, said = images(checkout, checkout / "inventories/dev", cwd=checkout)
    assert status != 0
    assert f"The Vault password of {checkout}/inventories/dev cannot be read." in said
    assert "Restore it: git checkout dev.vault-password" in said


def test_ansible_vault_asks_for_a_password(tmp_path: Path) -> None:
    (tmp_path / "vault.yml").write_text("a: b\n")
    status, said = run(CHECKOUT, "ansible-vault", "encrypt", tmp_path / "vault.yml")
    assert status != 0
    assert "New Vault password" in said
    assert (tmp_path / "vault.yml").read_text() == "a: b\n"


def test_collections_in_the_default_path_are_found(tmp_path: Path) -> None:
    collections = tmp_path / ".ansible/collections/ansible_collections"
    manifest = {"collection_info": {"namespace": "kubernetes", "name": "core", "version": "6.99.0"}}
    (collections / "kubernetes/core").mkdir(parents=True)
    (collections / "kubernetes/core/MANIFEST.json").write_text(json.dumps(manifest))
    status, said = run(CHECKOUT, "ansible-galaxy", "collection", "list", "--format", "json", HOME=str(tmp_path))
    assert status == 0
    found, _ = json.JSONDecoder().raw_decode(said)
    assert found[str(collections)]["kubernetes.core"]["version"] == "6.99.0"
