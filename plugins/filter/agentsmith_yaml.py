# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter `agentsmith_yaml`: the text of agentsmith.yml, the same wherever it is written."""

DOCUMENTATION = r"""
name: agentsmith_yaml
short_description: The text of agentsmith.yml for a configuration
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Writes the configuration of Agent Smith as YAML, in the order of its keys. This is the text that the role
    P(agentsmith.platform.config#role) puts into the ConfigMap.
  - The Dispatcher reads that ConfigMap, its Jobs read the copy in their image. Build that image with the text from this
    filter, so that both read the same bytes.
options:
  _input:
    description: The configuration, C(config_agentsmith).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the file that the agent's image is built with
  ansible.builtin.copy:
    content: "{{ config_agentsmith | agentsmith.platform.agentsmith_yaml }}"
    dest: build/agentsmith.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.plugins.filter.core import to_nice_yaml


def agentsmith_yaml(config: Any) -> str:
    """Write one configuration; see DOCUMENTATION. Lines are not wrapped, so that a change shows where it was made."""
    text: str = to_nice_yaml(config, indent=2, sort_keys=False, width=1000)
    return text


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"agentsmith_yaml": agentsmith_yaml}
