# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a kind node lacks, and which of those have to be built first."""

from __future__ import annotations

from .command import LocalClusterError, ask
from .engine import images
from .node import Node
from .registry import answers


def loaded_images(node: Node) -> set[str]:
    """Return the names of the images in the containerd of `node`. Raises LocalClusterError where it does not answer."""
    listed = ask([node.engine, "exec", node.name, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet"])
    if listed.status:
        raise LocalClusterError(
            f"The node {node.name} does not say which images it has: {listed.reason}. "
            "Run playbooks/local_cluster.yml, which heals the cluster."
        )
    return set(listed.output.split())


def missing_images(node: Node, names: list[str], environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return which of the image `names` to build and which to load, in their order."""
    loaded = loaded_images(node)
    load = [name for name in names if name not in loaded]
    built = images(node.engine, environment) if load else set()
    return [name for name in load if name not in built], load


def base_source(engine: str, base_image: str, registry_base_image: str, environment: dict[str, str]) -> str:
    """Return how `engine` gets `base_image`: `present`, `pull` (`registry_base_image` takes its place) or `build`."""
    if base_image in images(engine, environment):
        return "present"
    return "pull" if answers(registry_base_image) else "build"
