# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-node half of agentsmith.platform.config_check; the documentation is in plugins/modules/config_check.py.

An action plugin because it needs no connection and no file transfer, and takes some 10 ms where a module takes 350.
"""

from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.ansible_templates import AnsibleTemplates
from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.render.configuration_check import check_configuration
from ..plugin_utils.render.template_engine import RenderError

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Checks a configuration; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(
            tmp,
            task_vars,
            OPTIONS,
            mutually_exclusive=[("config", "file")],
            required_one_of=[("config", "file")],
        )
        try:
            return check_configuration(AnsibleTemplates(self, task_vars), **options)
        except RenderError as error:
            raise AnsibleActionFail(str(error)) from None
