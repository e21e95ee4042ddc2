#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: rotate_secret
short_description: Change named keys of a Secret and roll the workloads that read them
version_added: 1.0.0
description:
  - Takes from a release the Secret and the Deployments, StatefulSets, DaemonSets and CronJobs whose pods read it, and
    applies these as M(agentsmith.platform.apply) does. All other objects, and all Jobs, are left alone.
  - A preview comes first. Nothing is changed if it shows more than the rotation of the named keys (another key, another
    field of a workload, an object that does not exist yet) or less (a named key that has its new value).
  - With O(transaction), it works under the lock of the release, and replaces the old values in the record of the last
    good release. If the workloads do not become ready, it rolls back as a deploy does, to the last good release with
    the old values. If those are revoked already, choose V(keep) of O(transaction.on_failure), which leaves the new
    ones. An external Secret is not rolled back.
  - A rotation that was interrupted between the Secret and the workloads is completed by running it again.
options:
  objects:
    description: The objects of the release, as for O(agentsmith.platform.apply#module:objects).
    type: list
    elements: dict
    required: true
  secret:
    description:
      - Name of the Secret. If it is not among O(objects), it is external (Sealed Secrets, External Secrets, by hand)
        and has been changed already. The workloads that read a changed key then roll. The task cannot tell which of the
        keys that a workload reads has changed.
    type: str
    required: true
  namespace:
    description: Namespace of the Secret and of the workloads.
    type: str
    required: true
  keys:
    description: Names of the keys whose values are to change. A list, or one text with commas.
    type: list
    elements: str
    required: true
  wait:
    description: Whether to wait until the workloads are rolled out, see O(agentsmith.platform.apply#module:wait).
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for all workloads together, in seconds.
    type: int
    default: 300
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.transaction
  - agentsmith.platform.transaction.drain
attributes:
  check_mode:
    description: Shows what would roll, and refuses what would be refused.
    support: full
  diff_mode:
    description: Shows the Secret with digests instead of values, with a key that is made for the run.
    support: full
  idempotent:
    description: A second run finds nothing to rotate and fails, so that you notice a value that nobody changed.
    support: none
seealso:
  - module: agentsmith.platform.apply
"""

EXAMPLES = r"""
- name: Rotate the GitHub token
  agentsmith.platform.rotate_secret:
    objects: "{{ release_objects }}"
    secret: agentsmith-secrets
    namespace: agentsmith
    keys: github-token
  register: rotation

- name: Say what became of it
  ansible.builtin.debug:
    var: rotation.report
"""

RETURN = r"""
entry:
  description:
    - What the history of the release says of the run, as in
      RV(agentsmith.platform.release_history_info#module:history.entries). Null if it has no entry of it.
  returned: success
  type: dict
report:
  description: A line for each key, what became of it and which workloads rolled for it.
  returned: success
  type: list
  elements: str
  sample:
    - github-token: changed; Deployment agentsmith-dispatcher rolled.
rolled:
  description: The workloads that rolled, or would in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the workload.
      type: str
    name:
      description: Name of the workload.
      type: str
objects:
  description: What became of each object, as RV(agentsmith.platform.apply#module:objects).
  returned: always, unless refused
  type: list
  elements: dict
requests:
  description: How many requests were sent, as RV(agentsmith.platform.apply#module:requests).
  returned: always, unless refused
  type: dict
"""
