# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.kind_images_info; documented in plugins/modules/kind_images_info.py."""

from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine, kind_node, node_images
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options

OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Compares in the worker: a module's file transfer would cost more than the comparison."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what kind_images_info documents."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        found = kind_node.find_node(options["cluster"], container_engine.ENGINES)
        if found is None and self._task.check_mode:
            return {"skipped": True, "msg": f"The local cluster {options['cluster']} does not exist yet"}
        try:
            return {"changed": False, **self._info(found, options)}
        except LocalClusterError as error:
            return {"failed": True, "msg": str(error)}

    @staticmethod
    def _info(found: kind_node.Node | None, options: dict[str, Any]) -> dict[str, Any]:
        if found is None:
            raise LocalClusterError(
                f"There is no local cluster {options['cluster']} (images_cluster_name) to load images into. "
                "Run playbooks/local_cluster.yml, which creates it."
            )
        environment = container_engine.environment(found.engine, options["cache_dir"])
        aliases = {image["alias"]: image["name"] for image in options["images"] if image["alias"]}
        build, load = node_images.missing_images(found, _needs(options["images"]), environment)
        return {
            "engine": found.engine,
            "environment": environment,
            "build": build,
            "load": load,
            "aliases": node_images.stale_aliases(found, aliases),
            "base": node_images.base_source(
                found.engine, options["base_image"], options["registry_base_image"], environment
            )
            if build
            else "present",
        }


def _needs(images: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the names of the images, each with those of the others that it is built from."""
    names = [image["name"] for image in images]
    return {image["name"]: [value for value in image["args"].values() if value in names] for image in images}
