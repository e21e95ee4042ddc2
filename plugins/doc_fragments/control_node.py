# SPDX-License-Identifier: GPL-3.0-or-later
"""Author and attributes that the actions of this collection have in common."""


class ModuleDocFragment:
    """Goes with plugins/plugin_utils/actions/control_node_action.py."""

    DOCUMENTATION = r"""
author:
  - Agent Smith platform maintainers (@agentsmith-platform)
options: {}
attributes:
  action:
    description: Has an action plugin, so it runs on the control node.
    support: full
  async:
    description: Can run in the background with C(async).
    support: none
  platform:
    description: Where it runs.
    support: full
    platforms: posix
"""

    # An action that reads and nothing else.
    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    description: Changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

    # What only the playbooks and roles of this collection call.
    INTERNAL = r"""
options: {}
notes:
  - "Internal: the playbooks and roles of this collection call it. Its options and results can change in any release, so
    run the playbooks instead."
"""
