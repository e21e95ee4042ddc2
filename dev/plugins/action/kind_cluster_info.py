# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.kind_cluster_info; documented in plugins/modules/kind_cluster_info.py."""

import os
from pathlib import Path
from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine, kind_node, toolchain
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Looks at the cluster from the worker: a module's file transfer would cost more than the look."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what kind_cluster_info documents."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        kind, kubectl = (str(Path(options["bin_dir"]) / name) for name in ("kind", "kubectl"))
        found = kind_node.find_node(options["name"], container_engine.ENGINES)
        return {
            "changed": False,
            "verdict": kind_node.verdict(options["name"], found, kubectl, options["kubeconfig"]),
            "engine": found.engine if found else "",
            "environment": container_engine.environment(found.engine, options["cache_dir"]) if found else {},
            "node": kind_node.node_name(options["name"]),
            "image": found.image if found else "",
            "ports": found.ports if found else {},
            "workers": list(found.workers) if found else [],
            "tools": os.access(kind, os.X_OK) and os.access(kubectl, os.X_OK),
            "kind": kind if os.access(kind, os.X_OK) else toolchain.on_path("kind"),
            "contexts": list(kind_node.contexts(options["kubeconfig"])),
        }
