#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.release_status_info; the work is done in plugin_utils/reports/status.py."""

DOCUMENTATION = r"""
module: release_status_info
short_description: Show what runs in an Agent Smith installation
version_added: 1.0.0
description:
  - Reads the Deployments with their images and the Jobs that the Dispatcher has spawned, and names the cause if
    something does not run, such as C(OOMKilled), C(ImagePullBackOff), C(quota), C(DeadlineExceeded) or C(NodeNotReady).
  - Lists the channels that wait for a Job, and those that are stuck, as no Job will answer them.
    M(agentsmith.platform.unblock_channels) frees them.
  - Changes nothing. It reads a Secret only if Redis asks for a password, and returns nothing of it.
    M(agentsmith.platform.verify_release) tells whether the release works.
options: {}
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
  - agentsmith.platform.release
notes:
  - Needs C(get) on Deployments and C(list) on pods and Jobs of the namespace. With C(list) on events it also names what
    refuses the pod of a Job, and the node of a pod that was deleted.
  - Channels need C(create) on C(pods/portforward), and with a password in Redis C(get) on the Secret that
    the Dispatcher reads; without them, they are not checked.
  - Finished Jobs exist only for their time to live, 300 s in the app.
seealso:
  - module: agentsmith.platform.verify_release
"""

EXAMPLES = r"""
- name: Look at what runs
  agentsmith.platform.release_status_info:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    namespace: agentsmith
  register: release

- name: Show it
  ansible.builtin.debug:
    msg: "{{ release.text }}"
"""

RETURN = r"""
status:
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
    workloads:
      description:
        - The Deployments, each with C(name), C(ready) and C(wanted) pods, C(image), C(restarts), C(problem),
          C(remedy), which says which variables of the inventory to change, and C(other_images), which the ready pods
          run instead while a change of C(image) is not through.
      type: list
      elements: dict
    agent_image:
      description: Image of future Jobs.
      type: str
    jobs:
      description:
        - The Jobs, the newest first, each with C(name), C(request), C(state), C(cause), C(remedy), C(channel),
          C(node), and C(age) and C(duration) in seconds. The state is one of V(waiting), V(running), V(complete),
          V(failed). The channel is the one in Slack, the node the one that the pod is on, or was on before it was
          deleted.
      type: list
      elements: dict
    conversations:
      description:
        - C(found), the channels that wait for a Job, each with C(platform), C(channel), C(job), C(request), C(state),
          C(reason) and C(frees_in), the seconds until Redis forgets it. The state is one of V(running), V(unheard) (the
          Dispatcher that listened to the Job was replaced), V(ending), V(stuck).
        - C(lost), the names of running Jobs that Redis knows no channel of.
        - Null if Redis could not be asked; C(not_read) says why.
      type: dict
    not_read:
      description: Why the channels were not checked. Otherwise empty.
      type: str
text:
  description: The same for people.
  returned: success
  type: str
"""
