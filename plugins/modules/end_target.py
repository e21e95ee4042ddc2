#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.end_target; the work is done in plugins/action/end_target.py."""

DOCUMENTATION = r"""
module: end_target
short_description: End the run of a target that failed (internal)
version_added: 1.0.0
description:
  - Fails with a message of several lines. Ansible shows it once; C(ansible.builtin.fail) has it shown twice, the second
    time as data.
  - Or ends the target as one that was not reached, which gives C(ansible-playbook) another exit status.
options:
  message:
    description: All that is to be said.
    type: str
    required: true
  summary:
    description: The same in a line, for the result. The default is the first line of the message.
    type: str
  unreachable:
    description: Whether the target ends as unreachable (exit status 4) instead of as failed (2).
    type: bool
    default: false
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.control_node.read_only
"""

EXAMPLES = r"""
- name: Fail with the cause
  agentsmith.platform.end_target:
    message: |-
      {{ deploy_fault }}

      {{ release_restore.summary }}
"""

RETURN = r"""
msg:
  description: The summary, or the whole message of an unreachable target.
  returned: always
  type: str
"""
