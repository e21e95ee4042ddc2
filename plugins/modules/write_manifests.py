#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: write_manifests
short_description: Write Kubernetes objects to YAML files, Secrets without their values (internal)
version_added: 1.0.0
description:
  - Writes each object to C(<kind>-<name>.yaml) on the control node and lists the files in a C(Kustomization), so that
    both C(kubectl apply -f <dest>) and C(kubectl apply -k <dest>) work. A Namespace is written to
    C(00-namespace-<name>.yaml), because kubectl applies files in the order of their names.
  - A Secret is written to the directory C(secrets) in O(dest), with its keys in a comment and without a value.
    Neither command takes it from there, because applying a Secret without values over a filled one may empty it.
  - Files that an earlier run wrote, and whose objects are gone, are removed. Files that something else wrote are never
    touched. If one is in the way, the task fails before it writes anything.
options:
  objects:
    description: The objects. Either this or O(targets) is required.
    type: list
    elements: dict
  targets:
    description:
      - The objects of several targets, by the name of the target, to be written as a base with overlays. C(base) has
        what all targets have in common, C(overlays/<target>) the rest, so that
        C(kubectl apply -k <dest>/overlays/<target>) works.
      - Name all targets each time, because the base is made of all of them.
    type: dict
    version_added: 1.0.0
  dest:
    description: The directory, created if it does not exist. A relative path begins at the current directory.
    type: path
    required: true
  complete:
    description:
      - Whether the directory should contain only O(objects).
      - Without it the files of other objects stay, also in the C(Kustomization).
    type: bool
    default: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
attributes:
  check_mode:
    description: Tells which files would be written.
    support: full
  diff_mode:
    support: full
    description: The former content of a Secret's file is not shown, because somebody may have filled in its values.
seealso:
  - module: agentsmith.platform.render_objects
"""

EXAMPLES = r"""
- name: Write the manifests
  agentsmith.platform.write_manifests:
    objects: "{{ redis_render.objects }}"
    dest: rendered/redis

- name: Write the manifests of two targets as a base with overlays
  agentsmith.platform.write_manifests:
    targets: {eu: "{{ objects_of_eu }}", us: "{{ objects_of_us }}"}
    dest: rendered
"""

RETURN = r"""
dest:
  description: The directory, as an absolute path.
  returned: success
  type: str
files:
  description: What became of each file.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path of the file in the directory.
      type: str
    result:
      description: One of V(created), V(updated), V(unchanged), V(removed).
      type: str
  sample: [{path: deployment-redis.yaml, result: created}]
"""
