# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.kind_cluster_plan; documented in plugins/modules/kind_cluster_plan.py."""

from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils.cluster_plan import Wish, make_plan
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Makes the plan in the worker."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what kind_cluster_plan documents."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        try:
            return {"changed": False, **make_plan(Wish(**options))}
        except LocalClusterError as error:
            return {"failed": True, "msg": str(error)}
