#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.unblock_channels; the work is done in plugin_utils/release/conversations.py."""

DOCUMENTATION = r"""
module: unblock_channels
short_description: Free the channels that wait for a Job which has ended
version_added: 1.0.0
description:
  - The app keeps one conversation for each channel in Redis and answers everything there that a job is running. If the
    Job dies without a word, or the Dispatcher is replaced while it runs, the conversation stays for two hours.
  - Removes the conversations whose Job is gone, or ended more than 30 s ago, with the keys that the app itself removes
    at the end of a Job. A conversation whose Job runs is never removed.
  - Release 0.9.2 of the app frees such a channel by itself, about 90 s after the Job has ended.
options:
  channels:
    description:
      - IDs of the channels to free, as Slack shows them (C012AB3CD). If the list is empty, all channels that are stuck.
      - A channel whose Job runs stops the task before anything is removed. One that waits for no Job is free already.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.release
attributes:
  check_mode:
    description: Removes nothing, and returns what would be removed.
    support: full
  diff_mode:
    description: The list of channels shows everything.
    support: none
notes:
  - Needs C(get) on Deployments, C(list) on pods and Jobs, and C(create) on C(pods/portforward) of the namespace. If
    Redis asks for a password, also C(get) on the Secret that the Dispatcher reads.
  - Redis must run in the namespace. It does not reach a Redis elsewhere.
seealso:
  - module: agentsmith.platform.release_status_info
"""

EXAMPLES = r"""
- name: Free one channel
  agentsmith.platform.unblock_channels:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    namespace: agentsmith
    channels: [C012AB3CD]
"""

RETURN = r"""
channels:
  description:
    - The channels that were freed, each with C(platform), C(channel), C(job), C(request), C(state), C(reason), and
      C(frees_in), the seconds after which Redis would have forgotten the conversation.
  returned: success
  type: list
  elements: dict
api_server:
  description: URL of the API server that was asked.
  returned: success
  type: str
text:
  description: The same for people.
  returned: success
  type: str
"""
