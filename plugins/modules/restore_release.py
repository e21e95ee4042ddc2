#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_release
short_description: Bring the last good release back, or the one before it
version_added: 0.1.0
author:
  - Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Applies the objects that M(agentsmith.platform.commit_release) has recorded, values of Secrets and the configuration
    included, deletes what the release has besides, and waits until its workloads run.
  - It works under the lock of the release, and gives it back in any case, also when the task fails.
options:
  transaction:
    required: true
  generation:
    description:
      - V(current) is the last good release. Where none is recorded, as after a first deploy that failed, nothing is
        changed. Nothing either when O(transaction.on_failure) is V(keep).
      - V(previous) is the one before it, which then becomes the last good one, so that a second time comes back to the
        present one. When it no longer works, the present one is brought back and the task fails. Of a run that was
        killed when it had recorded what it did, the next one says that it was complete, and changes nothing.
    type: str
    choices: [current, previous]
    default: current
  holder:
    description:
      - As whom the deploy that is undone took the lock, as RV(agentsmith.platform.apply#module:transaction.holder)
        tells. It is taken again where that one no longer holds it.
      - The task then belongs to a run that the API server has answered already, and outlives an outage of 90 s. Without
        it, a server that does not answer within 10 s counts as a wrong address.
    type: str
    default: ''
  wait_timeout:
    description:
      - Seconds to wait until the workloads run, and until what is deleted is gone.
    type: int
    default: 300
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
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
