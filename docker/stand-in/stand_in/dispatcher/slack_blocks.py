# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of Slack's messages that are more than a text."""

from __future__ import annotations

Block = dict[str, object]


def section(text: str) -> Block:
    """Return a text in Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(block_id: str, *buttons: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def button(action_id: str, label: str, **fields: str) -> Block:
    """Return a button; `fields` are `value`, `style` and `url`, as far as it has them."""
    return {"type": "button", "text": {"type": "plain_text", "text": label}, **fields, "action_id": action_id}
