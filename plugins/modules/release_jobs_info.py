#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.release_jobs_info; the work is done in plugin_utils/reports/jobs.py."""

DOCUMENTATION = r"""
module: release_jobs_info
short_description: Tell of the Jobs of an Agent Smith installation, and why one failed
version_added: 1.0.0
description:
  - Lists the Jobs that the Dispatcher has spawned, with ticket, project, channel, state and duration. For one that
    failed it names the cause in one line, such as the exit code with its meaning, C(OOMKilled), C(Evicted),
    C(DeadlineExceeded), C(ImagePullBackOff), C(quota) or C(admission), and shows the last lines of its log.
  - Also lists the Jobs that are gone and of which only events are left, for about an hour. They have no log, and their
    ticket is known only if Redis still has their channel.
  - Masks the values of the Secrets that it can read, and what looks like a credential. Changes nothing.
options: {}
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
  - agentsmith.platform.release
  - agentsmith.platform.release.instance
notes:
  - Needs C(list) on Jobs and pods of the namespace, C(get) on C(pods/log) for the last lines, and C(list) on events for
    the Jobs that are gone. To mask values it needs C(list) on Secrets, or C(get) on those that the Jobs read.
  - A Job exists for its time to live after its end, 300 s in the app. The role job_policy can set another one.
seealso:
  - module: agentsmith.platform.release_status_info
"""

EXAMPLES = r"""
- name: Ask why a Job failed
  agentsmith.platform.release_jobs_info:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    namespace: agentsmith
  register: release

- name: Show it
  ansible.builtin.debug:
    msg: "{{ release.text }}"
"""

RETURN = r"""
jobs:
  description: What was found.
  returned: success
  type: dict
  contains:
    namespace:
      description: The namespace.
      type: str
    server:
      description: URL of the API server.
      type: str
    jobs:
      description:
        - The Jobs, the newest first, each with C(name), C(source), C(state), C(ticket), C(project), C(channel),
          C(node), C(created), C(duration), C(removed_in), C(cause), C(remedy), C(lines) and C(lines_fault).
        - C(remedy) says which variables of the inventory to change. It is empty if none is known to help.
        - C(source) is V(job), or V(events) if the Job is gone. C(state) is one of V(waiting), V(running), V(complete),
          V(failed), V(gone).
      type: list
      elements: dict
    not_read:
      description: What could not be asked for, and why.
      type: list
      elements: str
text:
  description: The same for people.
  returned: success
  type: str
"""
