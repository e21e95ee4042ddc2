# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.kind_images_info; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: kind_images_info
short_description: Find out which images a local kind cluster lacks
version_added: 0.1.0
description:
  - Compares a list of images with those in the nodes of a kind cluster and in its container engine, on the control
    node. Changes nothing.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  images:
    description: The images that the cluster should have. An image comes after the images that it is built from.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Full reference.
        type: str
        required: true
      args:
        description: Build arguments. The name of another image among them means that this one is built from it.
        type: dict
        default: {}
      context:
        description: Not looked at.
        type: path
      files:
        description: Not looked at.
        type: dict
      alias:
        description: A second reference to the image in the cluster.
        type: str
  base_image:
    description: The image on which they are built.
    type: str
    required: true
  registry_base_image:
    description: The image to use instead if a registry answers.
    type: str
    required: true
  cache_dir:
    description: Directory in which the role local_cluster keeps podman's configuration.
    type: path
    required: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
attributes:
  check_mode:
    description: It only reads. It is skipped if the cluster does not exist; a real run would have created it.
"""

EXAMPLES = r"""
- name: Find out which images to build and load
  agentsmith.dev.kind_images_info:
    cluster: agentsmith
    images:
      - name: localhost/agentsmith-redis:3f786850e387
    base_image: localhost/agentsmith-base:86f7e437faa5
    registry_base_image: docker.io/library/debian:bookworm-slim
    cache_dir: ~/.cache/agentsmith.platform
  register: images_info
"""

RETURN = r"""
build:
  description:
    - Which of O(images) neither all nodes nor the engine have, and which of them the engine needs to build others.
  type: list
  elements: str
  returned: success
load:
  description: Which of O(images) a node lacks.
  type: list
  elements: str
  returned: success
aliases:
  description: Those of the aliases that do not lead to their images, each with a node where that is so.
  type: list
  elements: dict
  returned: success
  contains:
    node: {type: str, description: Name of the node's container.}
    alias: {type: str, description: The second reference.}
    image: {type: str, description: The image to which it should lead.}
base:
  description:
    - How to get O(base_image), V(pull) or V(build); V(present) if the engine has it, or if nothing is built.
  type: str
  returned: success
engine:
  description: Engine that has the node, C(docker) or C(podman).
  type: str
  returned: success
environment:
  description: Environment variables for kind and the engine.
  type: dict
  returned: success
"""
