# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup `targets`: the hosts of a playbook, or an error where there are none."""

DOCUMENTATION = r"""
name: targets
short_description: The hosts that a play is for, which must be at least one
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - It is made for the C(hosts) of a play. To Ansible a play without hosts is a success, so a mistyped inventory
    would be one.
  - It fails if an inventory does not exist, if the inventories have no host, or if no given password opens the
    variables in C(group_vars/all). If C(--limit) leaves no host, Ansible itself fails.
options:
  _terms:
    description: A host pattern, C(all) or C(localhost).
    type: list
    elements: str
    default: [all]
"""

EXAMPLES = r"""
- name: Deploy to all hosts of the inventory
  hosts: "{{ lookup('agentsmith.platform.targets') }}"
"""

RETURN = r"""
_raw:
  description: The pattern.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.actions.vault_values import locked_file
from ..plugin_utils.secrets.secret_values import undecryptable

EVERYTHING = "all"
CONTROL_NODE = "localhost"
_ADVICE = "name one that has a host, as in -i inventories/prod"


class LookupModule(LookupBase):
    """Runs before the first task, in the process that has read the inventory."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **_kwargs: Any) -> list[str]:
        """Return the pattern; see DOCUMENTATION. What runs nothing, such as --syntax-check, needs no inventory."""
        pattern = terms[0] if terms else EVERYTHING
        runs = not any(context.CLIARGS.get(option) for option in ("syntax", "listhosts", "listtasks", "listtags"))
        if runs and (fault := _fault(pattern, variables or {}, self._loader)):
            raise AnsibleLookupError(f"{fault} Nothing was done.")
        return [pattern]


def _fault(pattern: str, variables: dict[str, Any], loader: DataLoader) -> str:
    limit = variables.get("ansible_limit")
    if pattern == CONTROL_NODE:
        return (
            f"This playbook is for localhost, which --limit {limit} leaves out: run it without --limit."
            if limit
            else ""
        )
    sources = [str(source) for source in variables["ansible_inventory_sources"] or ()]
    # A source with a comma is a list of hosts
    if missing := [source for source in sources if "," not in source and not Path(source).exists()]:
        return f"The inventory {', '.join(missing)} does not exist: {_ADVICE}."
    if not variables["ansible_play_hosts_all"]:
        within = f" within --limit {limit}" if limit else ""
        return f"The inventory {', '.join(sources) or '(none)'} has no host{within}: {_ADVICE}."
    locked = next(filter(None, (locked_file(loader, source) for source in sources if "," not in source)), None)
    return undecryptable(f"The Vault file {locked[0]}", locked[1]) if locked else ""
