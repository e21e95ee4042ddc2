# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.long_command; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: long_command
short_description: Run a command on the control node and show its progress
version_added: 0.1.0
description:
  - Runs one command on the control node, without a shell. While it runs, a line every 15 seconds shows how long it has
    been running and what it printed last; one at the end shows how long it took.
  - Made for the minutes that compiling Kubernetes or creating a cluster takes, during which M(ansible.builtin.command)
    is silent.
  - With C(no_log) on the task, the command's output is neither shown nor returned.
options:
  argv:
    description: The command and its arguments.
    type: list
    elements: str
    required: true
  chdir:
    description: Directory to run it in.
    type: path
  environment:
    description:
      - Environment variables for the command, over those of C(ansible-playbook).
      - The keyword C(environment) of a play or task does not reach an action plugin.
    type: dict
    default: {}
  stdin:
    description: Text for the command's standard input, which is empty otherwise.
    type: str
  creates:
    description: A path. If it exists, the command is not run.
    type: path
extends_documentation_fragment:
  - agentsmith.platform.control_node
attributes:
  check_mode:
    support: partial
    description:
      - As M(ansible.builtin.command). Nothing is run; a change is reported only if O(creates) shows that there would be
        one.
"""

EXAMPLES = r"""
- name: Compile the node's binaries
  agentsmith.dev.long_command:
    argv: [docker/kind-node/compile, /var/cache/node/bin]
    environment: {GO: /usr/local/go/bin/go}
    creates: /var/cache/node/bin
"""

RETURN = r"""
rc:
  description: Exit status of the command.
  type: int
  returned: when it was run
output:
  description: The last 30 lines that the command printed, standard output and standard error in their order.
  type: list
  elements: str
  returned: when it was run and succeeded; a failure quotes them in its message
seconds:
  description: How long it took.
  type: float
  returned: when it was run
"""
