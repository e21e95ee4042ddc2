# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory plugin `vault_password`: an inventory that brings the password of its Vault file."""

DOCUMENTATION = r"""
name: vault_password
short_description: Gives Ansible the password of an inventory's Vault files
version_added: 0.1.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Reads the password of the inventory directory C(inventories/dev) from the file C(inventories/dev.vault-password).
    It adds no host.
  - So the password is used with this inventory only. A password that C(ansible.cfg) names is used with every inventory,
    C(ansible-vault encrypt) takes it without asking, and Ansible stops if its file is missing or executable.
options:
  plugin:
    description: Name of this plugin.
    choices: [agentsmith.dev.vault_password]
    required: true
"""

EXAMPLES = r"""
# inventories/dev/dev_vault_password.yml
plugin: agentsmith.dev.vault_password
"""

from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultSecret, VaultSecretsContext
from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    """Adds a password to those that were given, before Ansible reads the variables of the inventory."""

    NAME = "agentsmith.dev.vault_password"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Read the password as a text, even if the file is executable: Ansible would run it."""
        directory = Path(path).parent
        file = directory.parent / f"{directory.name}.vault-password"
        try:
            password = file.read_bytes().strip()
        except OSError as error:
            restore = f"git checkout {file.name}, in {file.parent}"
            self.display.warning(f"The Vault password of {directory} cannot be read. {error}. Restore it: {restore}")
            return
        # Those that were given come first. The context is for single values, the loader for files.
        secrets = VaultSecretsContext.current().secrets
        secrets.append((directory.name, VaultSecret(password)))
        loader.set_vault_secrets(secrets)
        super().parse(inventory, loader, path, cache)
