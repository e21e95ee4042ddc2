# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of agentsmith.platform.end_target: it ends the run of a target with a message."""

from typing import Any

from ansible.errors import AnsibleAction

from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Ends the run of a target."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        message = options["message"].strip()
        if options["unreachable"]:
            return {"unreachable": True, "msg": message}
        summary = options["summary"] or message.partition("\n")[0]
        # Ansible shows an error, and then the result: of a failure that is returned, both have the message
        raise AnsibleAction(message, result={"msg": summary})
