# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images the nodes of a kind cluster lack, and which of those have to be built first."""

from .command import LocalClusterError, ask
from .container_engine import images
from .container_registry import answers
from .kind_node import Node


def loaded_images(node: Node) -> set[str]:
    """Return the names of the images that every node of the cluster has in its containerd.

    Raises LocalClusterError where one does not answer.
    """
    return set.intersection(*(set(_image_list(node.engine, name, "--quiet").split()) for name in node.names))


def stale_aliases(node: Node, aliases: dict[str, str]) -> list[dict[str, str]]:
    """Return those of `aliases` (each with the name that it stands for) that do not lead to that image in some node."""
    if not aliases:
        return []
    stale = []
    for node_name in node.names:
        rows = [line.split() for line in _image_list(node.engine, node_name).splitlines()[1:]]
        digests = {reference: digest for reference, _media_type, digest, *_size in rows}
        stale += [
            {"node": node_name, "alias": alias, "image": name}
            for alias, name in aliases.items()
            if digests.get(alias, "") != digests.get(name)
        ]
    return stale


def _image_list(engine: str, node: str, *options: str) -> str:
    """Return what containerd in `node` lists: a heading, then reference, media type and digest of each image."""
    listed = ask([engine, "exec", node, "ctr", "--namespace", "k8s.io", "images", "list", *options])
    if listed.status:
        raise LocalClusterError(
            f"The node {node} cannot list its images: {listed.reason}. Run playbooks/local_cluster.yml, which "
            "repairs the cluster."
        )
    return listed.output


def missing_images(node: Node, needs: dict[str, list[str]], environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return which images to build and which to load, in their order.

    :param needs: the names of all, each with those before it that it is built from. One that the node has is built
        nevertheless where the engine lacks it and another one needs it.
    """
    loaded = loaded_images(node)
    load = [name for name in needs if name not in loaded]
    built = images(node.engine, environment) if load else set()
    build: set[str] = set()
    for name in reversed(needs):
        if (name in load or any(name in needs[other] for other in build)) and name not in built:
            build.add(name)
    return [name for name in needs if name in build], load


def base_source(engine: str, base_image: str, registry_base_image: str, environment: dict[str, str]) -> str:
    """Return how `engine` gets `base_image`: `present`, `pull` (`registry_base_image` takes its place) or `build`."""
    if base_image in images(engine, environment):
        return "present"
    return "pull" if answers(registry_base_image) else "build"
