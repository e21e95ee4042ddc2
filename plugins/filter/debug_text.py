# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter `debug_text`: what ansible.builtin.debug shows readably, whatever Ansible's result format."""

DOCUMENTATION = r"""
name: debug_text
short_description: A text or data for ansible.builtin.debug, readable in either result format
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - By default Ansible shows results as JSON, in which a text of several lines is one line with C(\n) in it. Then this
    filter returns a list with an entry for each line, and data as it is.
  - With C(callback_result_format = yaml) it returns the text, and data as a text of JSON.
options:
  _input:
    description: The text, or the data.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show the status
  ansible.builtin.debug:
    msg: "{{ status_result.text | agentsmith.platform.debug_text }}"
"""

RETURN = r"""
_value:
  description: The text, its lines, or the data.
  type: raw
"""

import json
from collections.abc import Callable
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError


def debug_text(value: Any) -> Any:
    """Return what debug should show; see DOCUMENTATION."""
    if _result_format() == "yaml":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=4, sort_keys=True)
    return value.splitlines() if isinstance(value, str) else value


def _result_format() -> str:
    """The format of the callback that shows results. One that knows no format shows JSON, as the default does."""
    try:
        found: str = constants.config.get_config_value(
            "result_format", plugin_type="callback", plugin_name=constants.DEFAULT_STDOUT_CALLBACK
        )
    except (AnsibleError, KeyError):
        return "json"
    return found


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"debug_text": debug_text}
