# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.old_images; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: old_images
short_description: Remove images of earlier builds from a container engine
version_added: 0.1.0
description:
  - If the tag of an image follows its content, every change leaves an old image behind. This module keeps the newest
    few of each repository, and all that containers use. Images of other repositories are left alone.
options:
  engine:
    description: The container engine.
    type: str
    choices: [docker, podman]
    required: true
  repositories:
    description: References without their tags.
    type: list
    elements: str
    required: true
  keep:
    description: How many stay of each repository, at least 1.
    type: int
    required: true
  cache_dir:
    description: Directory in which the role local_cluster keeps podman's configuration.
    type: path
    required: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
attributes:
  check_mode:
    description: It is skipped in check mode.
    support: none
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Remove what earlier builds left
  agentsmith.dev.old_images:
    engine: podman
    repositories: [localhost/agentsmith-redis, localhost/agentsmith-base]
    keep: 5
    cache_dir: ~/.cache/agentsmith.platform
"""

RETURN = r"""
removed:
  description: References of the images that were removed.
  type: list
  elements: str
  returned: success
"""
