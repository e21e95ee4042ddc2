#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.slack_event; the work is done in plugins/action/slack_event.py."""

DOCUMENTATION = r"""
module: slack_event
short_description: Send a signed event to a Slack app, as Slack would
version_added: 1.0.0
description:
  - Sends one request to a request URL of a Slack app, signed with the app's signing secret, and returns its answer.
  - Shows whether an app is there, checks signatures and answers in time, without a Slack workspace. It works with every
    Slack app, not only with Agent Smith.
  - A V(message) or V(app_mention) that the app understands makes it work, as if a person had written it.
options:
  url:
    description:
      - The request URL, with its path. Of Agent Smith, V(/slack/events) takes events and V(/slack/interact) takes
        V(block_actions). Redirects are not followed, because Slack follows none.
    type: str
    required: true
  type:
    description: What to send. V(url_verification) is harmless. An app answers it with its O(challenge).
    type: str
    choices: [url_verification, message, app_mention, block_actions]
    default: url_verification
  signing_secret:
    description: The signing secret of the Slack app. It is masked wherever it might turn up in the result.
    type: str
    required: true
  challenge:
    description: The text that the app has to send back. Random if you leave it out.
    type: str
  text:
    description: Text of the message. Required for V(message) and V(app_mention).
    type: str
  channel:
    description: Id of the channel, such as V(C0123456789). Required for everything but V(url_verification).
    type: str
  user:
    description: Id of the person who writes or presses.
    type: str
    default: U0VERIFY
  action_id:
    description:
      - The button's action id. Required for V(block_actions). Agent Smith's are V(<question id>:yes) and
        V(<question id>:no).
    type: str
  block_id:
    description: The id of the block that the button is in.
    type: str
    default: ""
  value:
    description: The button's value.
    type: str
    default: ""
  message_ts:
    description: Timestamp of the message that has the button.
    type: str
    default: "0.000000"
  timestamp_offset:
    description:
      - Seconds to add to the timestamp that is signed. Apps refuse what is older or newer than 300 s, so V(-301) shows
        whether this one does.
    type: int
    default: 0
  timeout:
    description: Seconds for the answer. Slack itself gives an app 3.
    type: float
    default: 3
  status:
    description: The HTTP status codes that are right. Any other one makes the task fail.
    type: list
    elements: int
    default: [200]
  validate_certs:
    description: Whether the certificate of an V(https) URL has to be valid.
    type: bool
    default: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
attributes:
  action:
    description: Has an action plugin, so it runs on the control node. The signing secret is written to no file.
  check_mode:
    description: Sends nothing.
"""

EXAMPLES = r"""
- name: Ask the app for its challenge
  agentsmith.platform.slack_event:
    url: https://bot.example.com/slack/events
    signing_secret: "{{ vault_slack_signing_secret }}"

- name: See that a request with another signature is refused
  agentsmith.platform.slack_event:
    url: https://bot.example.com/slack/events
    signing_secret: not-the-signing-secret
    status: [401]

- name: Write a message
  agentsmith.platform.slack_event:
    url: http://localhost:30080/slack/events
    type: message
    signing_secret: "{{ vault_slack_signing_secret }}"
    channel: C0AGENTSMITH
    text: "fix #54 in agent-smith-test"

- name: Answer a question with its button
  agentsmith.platform.slack_event:
    url: http://localhost:30080/slack/interact
    type: block_actions
    signing_secret: "{{ vault_slack_signing_secret }}"
    channel: C0AGENTSMITH
    action_id: "{{ question_id }}:yes"
"""

RETURN = r"""
status:
  description: HTTP status of the answer.
  returned: when there was an answer
  type: int
  sample: 200
elapsed:
  description: Seconds from the first byte sent to the last one read.
  returned: when there was an answer
  type: float
  sample: 0.012
body:
  description: The answer's body, 64 KiB at most, with the signing secret masked.
  returned: when there was an answer
  type: str
  sample: '{"challenge":"3f1c"}'
"""
