#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: commit_release
short_description: Complete a successful deploy (internal)
version_added: 1.0.0
description:
  - Deletes objects that the release no longer has, records the release as the last good one, and releases the lock that
    M(agentsmith.platform.apply) took with O(agentsmith.platform.apply#module:transaction).
  - Run it when the release is known to work. The record is a Secret with the whole last good release and the whole one
    before it, values of Secrets included, and the history of the release. It is written only if something changed.
  - Releases the lock in any case, even if the task fails.
options:
  objects:
    description: The objects that were applied.
    type: list
    elements: dict
    required: true
  transaction:
    required: true
  holder:
    description:
      - Who holds the lock, as RV(agentsmith.platform.apply#module:transaction.holder) tells.
      - The task continues a run that the API server has answered already, so it survives an outage of 90 s.
    type: str
    required: true
  applied:
    description:
      - What became of the objects before, as RV(agentsmith.platform.apply#module:objects) tells, for the history.
    type: list
    elements: dict
    default: []
  wait_timeout:
    description: Seconds to wait until deleted objects are gone.
    type: int
    default: 300
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.transaction
attributes:
  check_mode:
    description: Shows what would be deleted, and whether the release would be recorded.
    support: full
  diff_mode:
    description: Shows what is deleted. Values of Secrets are replaced by a digest.
    support: full
  idempotent:
    description: A second run finds no deploy to complete.
    support: none
seealso:
  - module: agentsmith.platform.apply
  - module: agentsmith.platform.restore_release
"""

EXAMPLES = r"""
- name: Prune and record the release
  agentsmith.platform.commit_release:
    objects: "{{ release_objects }}"
    transaction:
      namespace: agentsmith
      instance: agentsmith
    holder: "{{ release_apply.transaction.holder }}"
    applied: "{{ release_apply.objects }}"
"""

RETURN = r"""
entry:
  description:
    - What the history of the release says of the run, as in
      RV(agentsmith.platform.release_history_info#module:history.entries). Null if it has no entry of it.
  returned: always
  type: dict
recorded:
  description: Whether the release was recorded as the last good one, or would be in check mode.
  returned: always
  type: bool
objects:
  description: What became of each object, as RV(agentsmith.platform.apply#module:objects).
  returned: always
  type: list
  elements: dict
requests:
  description: How many requests were sent, as RV(agentsmith.platform.apply#module:requests).
  returned: always
  type: dict
"""
