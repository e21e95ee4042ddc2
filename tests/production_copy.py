# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy inventories/prod, for a test, with a Vault file and digests of its own: right shapes instead of placeholders.

    tests/production_copy.py DIRECTORY [OVERRIDES]

DIRECTORY becomes the inventory; what is in OVERRIDES comes over it. The Vault file is encrypted under the vault id
`prod`, with the password that molecule/prod/vault-password prints.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml
from certificate_authority import issue
from cryptography import x509

CHECKOUT = Path(__file__).resolve().parents[1]
PASSWORD_SOURCE = CHECKOUT / "molecule/prod/vault-password"
VAULT_FILE = "group_vars/all/vault.yml"


HOSTS = ("agentsmith.eu.example.com", "agentsmith.us.example.com")
"""Of the addresses in inventories/prod."""


def values() -> dict[str, str]:
    """Return the variables of the Vault file: random, and of the shape that the roles ask for."""
    root = issue("root", now=datetime.now(UTC))
    server = issue("server", root, tuple(map(x509.DNSName, HOSTS)), now=datetime.now(UTC))
    return {
        "vault_tls_certificate": server.pem + root.pem,
        "vault_tls_key": server.key_pem(),
        "vault_slack_bot_token": f"xoxb-{secrets.token_hex(16)}",
        "vault_slack_signing_secret": secrets.token_hex(16),
        "vault_github_token": f"ghp_{secrets.token_hex(16)}",
        "vault_anthropic_api_key": f"sk-ant-{secrets.token_hex(16)}",
        "vault_registry_password": secrets.token_hex(16),
    }


def copy_production(directory: Path, overrides: Path | None = None, **changed: str) -> dict[str, str]:
    """Write the copy over an earlier one. Return the variables of its Vault file, of which *changed* are given."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(CHECKOUT / "inventories/prod", directory)
    if overrides:
        shutil.copytree(overrides, directory, dirs_exist_ok=True)
    main = directory / "group_vars/all/main.yml"
    main.write_text(main.read_text().replace("0" * 64, "1" * 64))
    content = {**values(), **changed}
    subprocess.run(
        [Path(sys.executable).parent / "ansible-vault", "encrypt", "--output", directory / VAULT_FILE]
        + ["--vault-id", f"prod@{PASSWORD_SOURCE}", "--encrypt-vault-id", "prod", "-"],
        input=yaml.safe_dump(content),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return content


if __name__ == "__main__":
    copy_production(Path(sys.argv[1]), *map(Path, sys.argv[2:]))
