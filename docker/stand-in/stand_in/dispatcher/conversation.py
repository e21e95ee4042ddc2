# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a channel's job, and its form in Redis."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Conversation:
    """The one job of a channel. Its times are ISO 8601 with their offset."""

    job_id: str
    channel: str
    user: str
    platform: str
    project: str
    ticket: int
    started_at: str
    last_activity_at: str
    pending_question: str | None = None


def conversation_key(platform: str, channel: str) -> str:
    """Return the key of a channel's conversation."""
    return f"conversation:{platform.lower()}:{channel}"


def index_key(job_id: str) -> str:
    """Return the key that leads from a job to the key of its conversation."""
    return f"job-index:{job_id}"


def to_json(conversation: Conversation, with_activity: bool) -> str:
    """Return the form in Redis, in which only some versions have the time of the last activity."""
    node = {
        "jobId": conversation.job_id,
        "channelId": conversation.channel,
        "userId": conversation.user,
        "platform": conversation.platform,
        "project": conversation.project,
        "ticketId": conversation.ticket,
        "startedAt": conversation.started_at,
        "pendingQuestionId": conversation.pending_question,
    }
    if with_activity:
        node["lastActivityAt"] = conversation.last_activity_at
    return json.dumps(node, separators=(",", ":"))


def from_json(text: str) -> Conversation:
    """Read the form in Redis. Raises ValueError, KeyError, TypeError for any other text."""
    node = json.loads(text)
    return Conversation(
        job_id=node["jobId"],
        channel=node["channelId"],
        user=node["userId"],
        platform=node["platform"],
        project=node["project"],
        ticket=node["ticketId"],
        started_at=node["startedAt"],
        last_activity_at=node.get("lastActivityAt", node["startedAt"]),
        pending_question=node.get("pendingQuestionId"),
    )
