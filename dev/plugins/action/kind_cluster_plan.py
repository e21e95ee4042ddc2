# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.kind_cluster_plan; documented in plugins/modules/kind_cluster_plan.py."""

from __future__ import annotations

from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils.cluster_plan import Wish, make_plan
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "engine": {"type": "str", "choices": ["auto", "docker", "podman"], "default": "auto"},
    "source": {"type": "str", "choices": ["auto", "registry", "build"], "default": "auto"},
    "registry_image": {"type": "str", "required": True},
    "built_image": {"type": "str", "required": True},
    "node": {"type": "str", "default": ""},
    "node_image": {"type": "str", "default": ""},
    "node_engine": {"type": "str", "default": ""},
    "binaries_dir": {"type": "path", "required": True},
    "cache_dir": {"type": "path", "required": True},
    "go_mod": {"type": "path", "required": True},
    "kind_version": {"type": "str", "required": True},
    "free_space": {"type": "int", "default": 8},
    "host_address": {"type": "str", "required": True},
    "host_ports": {"type": "list", "elements": "int", "required": True},
}


class ActionModule(ControlNodeAction):
    """Makes the plan in the worker."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what kind_cluster_plan documents."""
        options = self.checked_options(tmp, task_vars, _ARGUMENTS)
        try:
            return {"changed": False, **make_plan(Wish(**options))}
        except LocalClusterError as error:
            return {"failed": True, "msg": str(error)}
