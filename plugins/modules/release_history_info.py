#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.release_history_info; plugin_utils/reports/history_report does the work."""

DOCUMENTATION = r"""
module: release_history_info
short_description: Show who changed an Agent Smith release, when, and what
version_added: 1.0.0
description:
  - Reads the history of a release. Each deploy, rollback, rotation and teardown that changed something has an entry,
    a failed one too. A run that was refused before it wrote anything has none, nor has one that was killed.
  - At most 100 entries are kept, fewer if they are large.
  - Changes nothing, and returns no value of a Secret.
options: {}
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
  - agentsmith.platform.release
  - agentsmith.platform.release.instance
notes:
  - Needs C(get) on the Secret that records the release, C(<instance>-release), which holds values of Secrets.
seealso:
  - module: agentsmith.platform.commit_release
  - module: agentsmith.platform.restore_release
"""

EXAMPLES = r"""
- name: Read the history
  agentsmith.platform.release_history_info:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    namespace: agentsmith
  register: release

- name: Show it
  ansible.builtin.debug:
    msg: "{{ release.text }}"
"""

RETURN = r"""
history:
  description: What is recorded.
  returned: success
  type: dict
  contains:
    namespace:
      description: The namespace.
      type: str
    server:
      description: URL of the API server.
      type: str
    present:
      description: Revision whose objects are in place. V(0) if unknown.
      type: int
    previous:
      description: Revision of the previous release, to which M(agentsmith.platform.restore_release) can go back.
      type: int
    entries:
      description:
        - The entries, the newest first. C(revision) is the number, C(action) one of V(deploy), V(rollback),
          V(rotation), V(teardown), C(outcome) one of V(succeeded), V(failed) (what it changed stays), V(rolled_back)
          (it failed, and the release before it is back).
        - C(at) is the time in UTC, C(by) the user and host of the control node, C(reason) what C(agentsmith_reason)
          said, C(commit) the Git commit of the inventory, C(dirty) whether the inventory had other changes, C(version)
          that of this collection, C(images) the images of the last good release afterwards.
        - C(changes) lists C(kind), C(name) and C(result) of at most 30 changed objects, C(more_changes) is the number
          of the others. C(cause) is why it failed. C(completes) tells whether it went on with what a killed run had
          left, C(release) is the revision of the last good release afterwards.
        - C(extra_variables) are the names of at most 30 extra variables (C(-e)), never their values, and
          C(more_extra_variables) is the number of the others. C(tags) and C(skip_tags) are those of the command line.
          C(from_release) and C(to_release) are the revisions between which a rollback went, otherwise V(0).
      type: list
      elements: dict
text:
  description: The same for people.
  returned: success
  type: str
"""
