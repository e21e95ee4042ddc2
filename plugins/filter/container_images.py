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

from collections.abc import Callable
from typing import Any

from ..plugin_utils.objects.images import container_images


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"container_images": container_images}
