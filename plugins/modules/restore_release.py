#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: restore_release
short_description: Roll back to the last good release, or to the one before it (internal)
version_added: 1.0.0
description:
  - Applies the objects that M(agentsmith.platform.commit_release) has recorded, values of Secrets and the configuration
    included, deletes the other objects of the release, and waits until its workloads run.
  - Works under the lock of the release, and releases it in any case, even if the task fails.
options:
  transaction:
    required: true
  generation:
    description:
      - V(current) is the last good release. Nothing is changed if none is recorded, as after a first deploy that
        failed, or if O(transaction.on_failure) is V(keep).
      - V(previous) is the one before it, which then becomes the last good one. So a second run returns to the present
        one. If the previous one no longer works, the task restores the present one and fails. If a run was killed after
        it recorded what it did, the next run says that it was complete, and changes nothing.
    type: str
    choices: [current, previous]
    default: current
  holder:
    description:
      - The name under which the failed deploy took the lock, as RV(agentsmith.platform.apply#module:transaction.holder)
        tells. The task takes the lock again if that holder no longer has it.
      - The task then continues a run that the API server has answered already, so it survives an outage of 90 s.
        Without it, a server that does not answer within 10 s counts as a wrong address.
    type: str
    default: ''
  revision:
    description:
      - An entry of the history to go back to, as M(agentsmith.platform.release_history_info) lists them. It must be of
        the previous release. If it is of the present one, nothing is changed. The objects of older ones are not kept.
      - V(0) goes back to the previous release, whatever its revision. Only with the generation V(previous).
    type: int
    default: 0
  applied:
    description:
      - What the failed run has changed, as RV(agentsmith.platform.apply#module:objects) tells, for the history.
    type: list
    elements: dict
    default: []
  cause:
    description: Why it failed, for the history.
    type: str
    default: ''
  wait_timeout:
    description: Seconds to wait until the workloads run, and until deleted objects are gone.
    type: int
    default: 300
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.transaction
  - agentsmith.platform.transaction.drain
attributes:
  check_mode:
    description: Can run without writing to the cluster and predict the result.
    support: full
  diff_mode:
    description: Shows what is changed. Values of Secrets are replaced by a digest.
    support: full
  idempotent:
    description: With the generation V(current) a second run changes nothing; V(previous) goes back and forth.
    support: partial
seealso:
  - module: agentsmith.platform.apply
  - module: agentsmith.platform.commit_release
"""

EXAMPLES = r"""
- name: Go back to the release before the present one
  agentsmith.platform.restore_release:
    transaction:
      namespace: agentsmith
      instance: agentsmith
    generation: previous
"""

RETURN = r"""
entry:
  description:
    - What the history of the release says of the run, as in
      RV(agentsmith.platform.release_history_info#module:history.entries). Null if it has no entry of it.
  returned: always
  type: dict
restored:
  description: Whether a recorded release is in place now, or would be in check mode.
  returned: always
  type: bool
summary:
  description: What became of the release, in a sentence or two.
  returned: always
  type: str
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
