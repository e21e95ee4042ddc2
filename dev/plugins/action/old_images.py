# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.old_images; documented in plugins/modules/old_images.py."""

from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine, old_images
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Removes in the worker."""

    _supports_check_mode = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what old_images documents."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        if options["keep"] < 1:
            return {
                "failed": True,
                "msg": (f"keep is {options['keep']}, but the newest image always stays. Allowed: 1 or more."),
            }
        environment = container_engine.environment(options["engine"], options["cache_dir"])
        repositories = list(dict.fromkeys(options["repositories"]))
        try:
            removed = old_images.remove_old_images(options["engine"], repositories, options["keep"], environment)
        except LocalClusterError as error:
            return {"failed": True, "msg": str(error)}
        return {"changed": bool(removed), "removed": removed}
