# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind agentsmith.platform.render_objects, documented in plugins/modules/render_objects.py."""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.ansible_templates import AnsibleTemplates
from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.vault_values import refuse_published_password
from ..plugin_utils.render.part import Part, read_part, render_part, role_arguments
from ..plugin_utils.render.template_engine import RenderError
from ..plugin_utils.render.variable_checks import CHECK_RULES

OPTIONS = documented_options(__name__, rules={"checks": CHECK_RULES})


class ActionModule(ControlNodeAction):
    """Renders one part to objects, in memory, with the same result in check mode."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the objects, which no callback prints.

        Raises AnsibleActionFail, which every callback prints and which therefore quotes no value that may be secret.
        """
        options = self.checked_options(
            tmp,
            task_vars,
            OPTIONS,
            mutually_exclusive=[("part", "component")],
            required_one_of=[("part", "component")],
            required_together=[("component", "instance")],
        )
        name = options.pop("part")
        engine = AnsibleTemplates(self, task_vars)
        if name == "secrets":
            refuse_published_password(engine.variables)
        try:
            part = read_part(name, engine.of_collection) if name else self._stated(options, engine.variables)
            result = render_part(part, engine, self._display.warning)
            engine.compiled.keep()
        except RenderError as error:
            raise AnsibleActionFail(str(error)) from None
        # register hands the objects on, no callback shows them: a Secret is among them
        return {"changed": False, **result, **({} if result.get("failed") else {"_ansible_no_log": True})}

    @staticmethod
    def _stated(options: dict[str, Any], variables: dict[str, Any]) -> Part:
        """The part that the options describe, with the argument spec and the templates of the role of the task."""
        if "role_path" not in variables:
            return Part(**options)
        directory = Path(variables["role_path"])
        return Part(**options, directory=directory, arguments=role_arguments(directory))
