# SPDX-License-Identifier: GPL-3.0-or-later
"""`fix #N in P`: a Job, unless one already runs for the channel."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime

from stand_in.dispatcher.chat_intent import FixTicket
from stand_in.dispatcher.conversation_state import Conversation, Conversations
from stand_in.dispatcher.job_listener import JobListener
from stand_in.dispatcher.job_manifest import JobRequest, JobSettings, job_manifest, job_name
from stand_in.dispatcher.kubernetes_jobs import KubernetesJobs
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_payload import Message

PLATFORM = "slack"

_log = logging.getLogger("AgentSmith.Dispatcher.Handlers.FixTicketIntentHandler")


class FixTicketHandler:
    """Spawns Jobs and has their messages relayed."""

    def __init__(
        self,
        jobs: KubernetesJobs,
        settings: JobSettings,
        slack: SlackAdapter,
        conversations: Conversations,
        listener: JobListener,
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._slack = slack
        self._conversations = conversations
        self._listener = listener

    async def handle(self, intent: FixTicket, message: Message) -> None:
        """Spawn a Job. Raises KubernetesError, RedisConnectionError.

        Neither is the check followed by a lock nor the channel taken before the Job is there: two messages at the
        same moment get two Jobs, as in the app.
        """
        running = await self._conversations.in_channel(PLATFORM, message.channel)
        if running is not None:
            await self._slack.send_message(
                message.channel,
                ":hourglass: There is already a job running for this channel "
                f"(job `{running.job_id}` for ticket #{running.ticket}). Please wait for it to complete.",
            )
            return
        await self._slack.send_message(
            message.channel, f":rocket: Starting Agent Smith for ticket *#{intent.ticket}* in *{intent.project}*..."
        )
        job_id = uuid.uuid4().hex[:12]
        request = JobRequest(intent.ticket, intent.project, message.channel, message.user, PLATFORM)
        await self._jobs.create(job_manifest(job_id, request, self._settings))
        _log.info("Spawned K8s Job %s (id=%s) for ticket #%d", job_name(job_id), job_id, intent.ticket)
        await self._register(job_id, request)

    async def _register(self, job_id: str, request: JobRequest) -> None:
        conversation = Conversation(
            job_id=job_id,
            channel=request.channel,
            user=request.user,
            platform=request.platform,
            project=request.project,
            ticket=request.ticket,
            started_at=datetime.now(UTC).isoformat(),
        )
        await self._conversations.store(conversation)
        await self._conversations.index(conversation)
        self._listener.track(job_id)
