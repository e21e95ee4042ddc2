# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the button of a message that was pressed."""

from __future__ import annotations

import time

from stand_in.slack.workspace import Message, WorkspaceError


def pressed_button(message: Message, action_id: object) -> dict[str, object]:
    """Return what Slack sends as an action for a button of a message. Raises WorkspaceError."""
    for block in message.blocks:
        elements = block.get("elements") if isinstance(block, dict) else None
        for element in elements if isinstance(elements, list) else ():
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return {**element, "block_id": block.get("block_id", ""), "action_ts": f"{time.time():.6f}"}
    raise WorkspaceError("action_not_found")
