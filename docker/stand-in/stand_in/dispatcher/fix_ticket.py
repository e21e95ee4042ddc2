# SPDX-License-Identifier: GPL-3.0-or-later
"""`fix #N`: a Job, unless one already runs for the channel."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime

from stand_in.dispatcher.chat_intent import FixTicket
from stand_in.dispatcher.conversation import Conversation
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.job_listener import JobListener
from stand_in.dispatcher.job_manifest import JobRequest, JobSettings, job_manifest, job_name
from stand_in.dispatcher.kubernetes_jobs import KubernetesJobs
from stand_in.dispatcher.slack_adapter import SlackAdapter

PLATFORM = "slack"

_log = logging.getLogger("AgentSmith.Dispatcher.Handlers.FixTicketIntentHandler")
_spawner_log = logging.getLogger("AgentSmith.Dispatcher.Services.KubernetesJobSpawner")


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

    async def handle(self, intent: FixTicket, channel: str, user: str) -> None:
        """Spawn a Job. Raises KubernetesError, RedisConnectionError.

        Neither is the check followed by a lock nor the channel taken before the Job is there: two messages at the
        same moment get two Jobs, as in the app.
        """
        running = await self._conversations.in_channel(PLATFORM, channel)
        if running is not None:
            await self._slack.send_message(
                channel,
                ":hourglass: There is already a job running for this channel "
                f"(job `{running.job_id}` for ticket #{running.ticket}). Please wait for it to complete.",
            )
            return
        await self._slack.send_starting(channel, intent.ticket, intent.project)
        job_id = uuid.uuid4().hex[:12]
        request = JobRequest(intent.ticket, intent.project, channel, user, PLATFORM)
        await self._jobs.create(job_manifest(job_id, request, self._settings))
        _spawner_log.info(
            "Spawned K8s Job %s (id=%s) for ticket #%d in %s", job_name(job_id), job_id, intent.ticket, intent.project
        )
        await self._register(job_id, request)
        _log.info("Job %s spawned for ticket #%d in %s (channel=%s)", job_id, intent.ticket, intent.project, channel)

    async def _register(self, job_id: str, request: JobRequest) -> None:
        now = datetime.now(UTC).isoformat()
        conversation = Conversation(
            job_id=job_id,
            channel=request.channel,
            user=request.user,
            platform=request.platform,
            project=request.project,
            ticket=request.ticket,
            started_at=now,
            last_activity_at=now,
        )
        await self._conversations.store(conversation)
        await self._conversations.index(conversation)
        self._listener.track(job_id)
