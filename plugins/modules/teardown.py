#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.teardown; the work is done in plugins/plugin_utils/release/teardown.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: teardown
short_description: Remove an Agent Smith release from a cluster
version_added: 0.1.0
author:
  - Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Deletes every object that carries the labels of the release, whatever deploy it came from, cluster-scoped ones too,
    and the Jobs that its Dispatcher has spawned. Then waits until no pod of it is left.
  - Deletes the namespace where the release created it and it holds nothing of others, which are listed otherwise. From
    a namespace that was there before, the labels of the release are taken off.
  - Needs no inventory of the release, so it removes what a half-finished or a forgotten deploy has left. Killed at any
    point, it is completed by the next run.
  - Reads no value of a Secret.
options:
  namespace:
    description: Namespace of the release.
    type: str
    required: true
  instance:
    description: Value of the label C(app.kubernetes.io/instance) of its objects.
    type: str
    default: agentsmith
  jobs:
    description: What becomes of Jobs that the Dispatcher has spawned and that have not ended.
    type: str
    choices:
      refuse: They stop the teardown before anything is changed.
      wait: They are waited for, for as long as O(jobs_timeout) says, before anything is changed.
      kill: They are deleted, and their work is lost.
    default: refuse
  jobs_timeout:
    description: Seconds to wait for running Jobs. After that the teardown fails and leaves them alone.
    type: int
    default: 1800
  timeout:
    description: Seconds to wait for deleted objects to go, and for the last pod.
    type: int
    default: 300
  lock_duration:
    description:
      - Seconds after which the lock of the release counts as left behind by a run that died, as for
        M(agentsmith.platform.apply). The teardown takes the lock where it has something to delete.
    type: int
    default: 60
  lock_timeout:
    description: Seconds to wait for a deploy that holds the lock. V(0) gives up at once.
    type: int
    default: 120
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
attributes:
  check_mode:
    description: Changes nothing, and returns what would go.
    support: full
  diff_mode:
    description: There is nothing to show beside the list of what goes.
    support: none
notes:
  - Needs C(list) and C(delete) on all kinds that the release has. A kind that cannot be listed and that a release may
    have in its namespace stops the teardown; others are named in RV(not_looked_at).
seealso:
  - module: agentsmith.platform.apply
"""

EXAMPLES = r"""
- name: Remove the release when its last Job has ended
  agentsmith.platform.teardown:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    namespace: agentsmith
    jobs: wait
    jobs_timeout: 3600
"""

RETURN = r"""
objects:
  description: What was deleted, each with C(kind), C(namespace), C(name) and C(result).
  returned: always
  type: list
  elements: dict
namespace:
  description:
    - What became of the namespace. C(result) is one of V(deleted), V(released) (the labels were taken off), V(kept),
      V(absent); C(reason) says why, C(foreign) lists the objects of others in it.
  returned: when it got so far
  type: dict
pods_left:
  description: Number of pods of the release that are left, V(0) after a success. Null in check mode.
  returned: always
  type: int
not_looked_at:
  description: Kinds that cannot be listed.
  returned: always
  type: list
  elements: str
text:
  description: The same for people.
  returned: always
  type: str
"""
