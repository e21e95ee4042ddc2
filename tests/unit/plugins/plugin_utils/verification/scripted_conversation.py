# SPDX-License-Identifier: GPL-3.0-or-later
"""A Slack and a cluster that change with the time of a test's own clock."""

from __future__ import annotations

from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.job_state import JobState

JOB = "agentsmith-0123456789ab"


class Scripted:
    """What a Talk needs, by the seconds at which it begins.

    `messages` are the bot's, texts or parts of Slack's message objects. `job` has pairs of state and cause, None for a
    Job that is removed. Each look costs `look` seconds.
    """

    def __init__(
        self, messages: dict[float, Any], job: dict[float, Any], delivery: str = "delivered", look: float = 0.0
    ) -> None:
        self.now = 0.0
        self._messages, self._job, self._delivery, self._look = messages, job, delivery, look

    def say(self, _channel: str, text: str) -> str:
        self._said = {"ts": "0", "user": "U1", "text": text, "delivery": self._delivery}
        return "0"

    def messages(self, _channel: str) -> list[dict[str, Any]]:
        self.now += self._look
        said = [(at, message) for at, message in self._messages.items() if at <= self.now]
        texts = [(at, {"text": message} if isinstance(message, str) else message) for at, message in said]
        return [self._said, *({"ts": str(at), "bot_id": "B", **message} for at, message in texts)]

    def read_job(self, _channel: str) -> tuple[dict[str, Any], JobState] | None:
        self.now += self._look
        found = [entry for at, entry in self._job.items() if at <= self.now]
        if not found or found[-1] is None:
            return None
        state, cause = found[-1]
        return {"spec": {"ttlSecondsAfterFinished": 20}}, JobState(JOB, "fix #54 in web", state, cause, 1, None)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
