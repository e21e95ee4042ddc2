#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.notify_webhook; the work is done in plugins/plugin_utils/reports/webhook.py."""

DOCUMENTATION = r"""
module: notify_webhook
short_description: Tell a webhook what a run did (internal)
version_added: 1.0.0
description:
  - Posts the entry that a run left in the history of the release, as text for people. It has no value of a Secret.
  - A webhook that does not answer, or refuses the message, is a warning. The task never takes longer than 5 s for it.
  - Goes through the proxy that E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) name, trusts the certificates that
    E(SSL_CERT_FILE) names, and follows no redirect.
options:
  url:
    description: The webhook. It is a secret, and appears in no result, warning or log.
    type: str
    required: true
  type:
    description:
      - What receives the message. V(slack) is an incoming webhook of Slack, or of what understands the same, such as
        Mattermost. V(msteams) is a workflow of Microsoft Teams, which gets an Adaptive Card. V(generic) gets JSON with
        C(text), C(target) (the inventory's host), C(namespace) and C(entry).
      - Another value is a warning, and nothing is sent.
    type: str
    default: slack
  entry:
    description:
      - The entry, as RV(agentsmith.platform.commit_release#module:entry) tells. Nothing is sent if it is null.
    type: dict
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.release
attributes:
  check_mode:
    description: Sends nothing in check mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
seealso:
  - module: agentsmith.platform.release_history_info
"""

EXAMPLES = r"""
- name: Tell the channel what was deployed
  agentsmith.platform.notify_webhook:
    url: "{{ agentsmith_webhook_url }}"
    entry: "{{ release_commit.entry }}"
    namespace: agentsmith
"""

RETURN = r"""
sent:
  description: Whether the webhook took the message.
  returned: always
  type: bool
"""
