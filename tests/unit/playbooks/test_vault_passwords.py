# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody uses the development password elsewhere unawares, and a value that no password opens says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.vault_values import PUBLISHED_PASSWORD
from ansible_playbook import ansible_playbook
from required_variables import REQUIRED

CHECKOUT = Path(__file__).parents[3]
DEVELOPMENT = CHECKOUT / "inventories/dev.vault-password"
PROGRAMS = Path(sys.executable).parent
SECRETS = {name: value for name, value in REQUIRED.items() if name.startswith("vault_")}
REFUSAL = "encrypted with the development password, which is published"


def encrypted(text: str, vault_id: str, source: Path) -> str:
    command = [PROGRAMS / "ansible-vault", "encrypt", "--vault-id", f"{vault_id}@{source}"]
    command += ["--encrypt-vault-id", vault_id, "--output=-", "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


class _Encrypted(str):
    """Written as `!vault |`."""


def an_inventory(directory: Path, variables: dict[str, object], vault: str = "") -> Path:
    dumper = type("Dumper", (yaml.SafeDumper,), {})
    dumper.add_representer(_Encrypted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))
    (directory / "group_vars/all").mkdir(parents=True)
    (directory / "hosts.yml").write_text("all: {hosts: {one: {ansible_connection: local}}}\n")
    (directory / "group_vars/all/main.yml").write_text(yaml.dump(variables, Dumper=dumper))
    if vault:
        (directory / "group_vars/all/vault.yml").write_text(vault)
    return directory


def render(inventory: Path, *options: str | Path) -> tuple[int, str]:
    """Render the Secret."""
    process = ansible_playbook("playbooks/images.yml", "-i", inventory, "--tags", "secrets", "-vvv", *options)
    output = process.stdout + process.stderr
    assert "MARKED" not in output
    return process.returncode, " ".join(output.split())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A password of somebody's own."""
    (tmp_path / "password").write_text("another MARKED one")
    return tmp_path / "password"


def test_the_published_password_is_that_of_the_checkout() -> None:
    assert DEVELOPMENT.read_bytes().strip() == PUBLISHED_PASSWORD


def test_a_file_under_the_development_password_is_refused(tmp_path: Path) -> None:
    plain = {name: value for name, value in REQUIRED.items() if name not in SECRETS}
    vault = encrypted(yaml.dump(SECRETS), "prod", DEVELOPMENT)
    inventory = an_inventory(tmp_path / "inventories/stg", plain, vault)
    status, said = render(inventory, "--vault-password-file", DEVELOPMENT)
    assert status != 0
    assert f"The file {inventory}/group_vars/all/vault.yml: {REFUSAL}" in said

    # The dummies of the development environment are under it by right
    (tmp_path / "inventories/stg").rename(tmp_path / "inventories/dev")
    status, said = render(tmp_path / "inventories/dev", "--vault-password-file", DEVELOPMENT)
    assert status == 0, said


def test_a_single_value_under_the_development_password_is_refused(tmp_path: Path) -> None:
    token = _Encrypted(encrypted("MARKED-token", "prod", DEVELOPMENT))
    nested = {"registry.example.com": {"username": "a", "password": token}}
    variables = {**REQUIRED, "vault_gitlab_token": token, "secrets_registries": nested}
    status, said = render(an_inventory(tmp_path / "stg", variables), "--vault-id", f"prod@{DEVELOPMENT}")
    assert status != 0
    assert "The value of secrets_registries.registry.example.com.password" in said
    assert f"The value of vault_gitlab_token: {REFUSAL}" in said


def test_values_under_a_password_of_ones_own_are_right(tmp_path: Path, own: Path) -> None:
    vault = encrypted(yaml.dump({"vault_github_token": "ghp_MARKED"}), "prod", own)
    token = _Encrypted(encrypted("MARKED-token", "prod", own))
    inventory = an_inventory(tmp_path / "stg", {**REQUIRED, "vault_gitlab_token": token}, vault)
    status, said = render(inventory, "--vault-id", f"prod@{own}", "--vault-id", f"dev@{DEVELOPMENT}")
    assert status == 0, said


def test_a_single_value_that_no_password_opens(tmp_path: Path, own: Path) -> None:
    token = _Encrypted(encrypted("MARKED-token", "stg", own))
    status, said = render(an_inventory(tmp_path / "stg", {**REQUIRED, "vault_gitlab_token": token}))
    assert status != 0
    assert (
        "vault_gitlab_token cannot be decrypted: its vault id is stg, and no password that was given opens it" in said
    )
    assert "!unsafe" not in said
