# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of messages that the Dispatcher cannot work on: a line in the log, and nothing in their channel."""

from __future__ import annotations

import logging

from stand_in.dispatcher.slack_payload import Message

NO_SPAWNER = (
    "Unable to resolve service for type 'AgentSmith.Dispatcher.Services.IJobSpawner' while attempting to activate "
    "'AgentSmith.Dispatcher.Handlers.FixTicketIntentHandler'."
)
NO_LANGUAGE_MODEL = "Required environment variable 'ANTHROPIC_API_KEY' is not set."

_log = logging.getLogger("AgentSmith.Dispatcher.SlackEvents")


class DroppedMessages:
    """Takes the place of a MessageHandler."""

    def __init__(self, reason: str) -> None:
        """`reason` is the exception's text."""
        self._reason = reason

    async def handle(self, _message: Message) -> None:
        """Drop one message."""
        _log.error("Fire-and-forget dispatch failed\nSystem.InvalidOperationException: %s", self._reason)
