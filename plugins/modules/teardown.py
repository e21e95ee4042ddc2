#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.teardown; the work is done in plugins/plugin_utils/release/teardown.py."""

DOCUMENTATION = r"""
module: teardown
short_description: Remove an Agent Smith release from a cluster
version_added: 1.0.0
description:
  - Deletes every object that carries the labels of the release, whatever deploy it came from, cluster-scoped ones too,
    and the Jobs that its Dispatcher has spawned. Then waits until no pod of the release is left.
  - Deletes the namespace if the release created it and it contains no objects of others; otherwise it lists those
    objects. It removes the labels of the release from a namespace that is older than the release.
  - Needs no inventory of the release, so it also removes the objects of a half-finished or forgotten deploy. If it is
    killed at any point, the next run completes it.
  - Returns no value of a Secret. It reads one Secret, the record of the release.
options:
  labels:
    description: Labels of the lock of the release beside its own, where a cluster demands some.
    type: dict
    default: {}
  annotations:
    description: Annotations of the lock of the release.
    type: dict
    default: {}
  jobs:
    description: What happens to running Jobs of the Dispatcher.
    type: str
    choices:
      refuse: They stop the teardown before anything is changed.
      wait: The teardown waits for them, up to O(jobs_timeout), before anything is changed.
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
  issued_secrets:
    description:
      - What happens to the Secrets that cert-manager has filled for Certificates of the release. They hold private
        keys, and no labels of the release.
      - If cert-manager runs with C(--enable-certificate-owner-ref), they go with the Certificate either way.
    type: str
    choices:
      keep: They stay, and the result names them. The next deploy then needs no new certificate.
      delete: They are deleted after their Certificates.
    default: keep
  history:
    description: What happens to the history of the release if the namespace stays.
    type: str
    choices:
      keep: It stays, with an entry of the teardown, in the Secret that recorded the release. That loses all else.
      delete: It is deleted with the record.
    default: keep
  reason:
    description: Why it is done, as O(agentsmith.platform.apply#module:transaction.reason).
    type: str
    default: ''
  lock_duration:
    description:
      - Seconds after which the lock of the release counts as left behind by a dead run, as for
        M(agentsmith.platform.apply). The teardown takes the lock if it has something to delete.
    type: int
    default: 60
  lock_timeout:
    description: Seconds to wait for a deploy that holds the lock. V(0) gives up at once.
    type: int
    default: 120
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.release
  - agentsmith.platform.release.instance
attributes:
  check_mode:
    description: Changes nothing, and returns what would be deleted.
    support: full
  diff_mode:
    description: The list of deleted objects shows everything.
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
entry:
  description:
    - What the history of the release says of the run, as in
      RV(agentsmith.platform.release_history_info#module:history.entries). Null if it has no entry of it.
  returned: always
  type: dict
api_server:
  description: URL of the API server that was asked.
  returned: success
  type: str
removes:
  description: Whether anything was removed, or would be. The same as C(changed), for a task whose C(changed_when) says
    otherwise.
  returned: always
  type: bool
objects:
  description: What was deleted, each with C(kind), C(namespace), C(name) and C(result).
  returned: always
  type: list
  elements: dict
namespace:
  description:
    - What became of the namespace. C(result) is one of V(deleted), V(released) (the labels were removed), V(kept),
      V(absent); C(reason) says why, C(foreign) lists the objects of others in it.
  returned: when it got that far
  type: dict
pods_left:
  description: Number of pods of the release that are left, V(0) after a success. Null in check mode.
  returned: always
  type: int
issued_secrets:
  description: Names of the Secrets that cert-manager has filled for Certificates of the release, see O(issued_secrets).
  returned: always
  type: list
  elements: str
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
