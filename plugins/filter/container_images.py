# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter `container_images`: the images that a list of Kubernetes objects has nodes pull."""

DOCUMENTATION = r"""
name: container_images
short_description: The images that Kubernetes objects need
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Lists the images of all containers and init containers, in objects of every kind, and the image that the Dispatcher
    gives its Jobs, which is in no pod yet.
options:
  _input:
    description: The objects.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what to mirror
  ansible.builtin.debug:
    msg: "{{ release_objects | agentsmith.platform.container_images }}"
"""

RETURN = r"""
_value:
  description: Each image once, by its full reference, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

AGENT_IMAGE_VARIABLE = "AGENTSMITH_IMAGE"
"""Environment variable that names the image of the Jobs (the app's contract, environment variables)."""


def container_images(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the images that *objects* need; see DOCUMENTATION."""
    return sorted({image for item in objects for image in _images(item.get("spec"))})


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, Sequence) and not isinstance(node, str):
        for item in node:
            yield from _images(item)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("containers", "initContainers"):
                for container in value or []:
                    yield container["image"]
                    yield from _agent_image(container)
            else:
                yield from _images(value)


def _agent_image(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in container.get("env") or []:
        if variable["name"] == AGENT_IMAGE_VARIABLE and variable.get("value"):
            yield variable["value"]


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"container_images": container_images}
