# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that objects need: of their own containers, and the one that the Dispatcher gives its Jobs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

AGENT_IMAGE_VARIABLE = "AGENTSMITH_IMAGE"
"""Environment variable that names the image of the Jobs (the app's contract, environment variables)."""


def container_images(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return each image once, by its full reference, sorted."""
    return sorted({image for item in objects for image in _images(item.get("spec"))})


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, Sequence) and not isinstance(node, str):
        for item in node:
            yield from _images(item)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("containers", "initContainers"):
                # A resource of another tool may have something else under this name
                for container in filter(_is_container, value or []):
                    yield container["image"]
                    yield from _agent_image(container)
            else:
                yield from _images(value)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("image"), str)


def _agent_image(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in container.get("env") or []:
        if variable["name"] == AGENT_IMAGE_VARIABLE and variable.get("value"):
            yield variable["value"]
