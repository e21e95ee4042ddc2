# SPDX-License-Identifier: GPL-3.0-or-later
"""Frees the channels of jobs that have ended unheard, by asking Kubernetes whether they still run."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from stand_in.dispatcher.conversation import Conversation
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.job_listener import JobListener
from stand_in.dispatcher.kubernetes_jobs import KubernetesError, KubernetesJobs
from stand_in.dispatcher.slack_adapter import SlackAdapter

INTERVAL = 30.0
"""Seconds between two looks at all jobs."""
INTERVALS_OF_GRACE = 2
"""How long a job is not asked about after its start."""
LONGEST_RUN = timedelta(hours=2)
"""A job that runs longer is given up, whatever Kubernetes says."""

LAST_WORDS = 5.0
"""Seconds in which what a job said at its end is passed on. The app looks so rarely that this has mostly been done."""
PAUSE = 0.2
"""Seconds between two looks at that."""

_log = logging.getLogger("AgentSmith.Dispatcher.Services.OrphanJobDetector")


class JobWatch:
    """Looks at every channel with a job, also at those whose job an earlier Dispatcher has spawned."""

    def __init__(
        self,
        jobs: KubernetesJobs,
        conversations: Conversations,
        listener: JobListener,
        slack: SlackAdapter,
        interval: float,
    ) -> None:
        self._jobs = jobs
        self._conversations = conversations
        self._listener = listener
        self._slack = slack
        self._interval = interval

    async def run(self) -> None:
        """Look again and again, for ever."""
        _log.info("OrphanJobDetector started")
        while True:
            await asyncio.sleep(self._interval)
            try:
                for conversation in await self._conversations.all():
                    await self._look_at(conversation)
            except Exception:  # noqa: BLE001 - as the app, to which Redis may come back
                _log.exception("Error during orphan job detection")

    async def _look_at(self, conversation: Conversation) -> None:
        age = datetime.now(UTC) - datetime.fromisoformat(conversation.started_at)
        if age < timedelta(seconds=self._interval * INTERVALS_OF_GRACE):
            return
        if age > LONGEST_RUN:
            _log.warning("Job %s exceeded max runtime of %s", conversation.job_id, LONGEST_RUN)
        elif await self._runs(conversation.job_id) or await self._was_heard_of(conversation):
            return
        _log.warning(
            "Orphaned job detected: %s (started %s, last activity %s)",
            conversation.job_id,
            conversation.started_at,
            conversation.last_activity_at,
        )
        await self._slack.send_message(
            conversation.channel,
            f":warning: Job `{conversation.job_id}` appears to have crashed (container no longer running after "
            f"{age.total_seconds() / 60:.1f} minutes). The channel has been unblocked. Please retry your command.",
        )
        await self._listener.give_up(conversation)
        _log.info("Cleaned up orphaned job %s for channel %s", conversation.job_id, conversation.channel)

    async def _runs(self, job_id: str) -> bool:
        """Tell whether a job still runs. One that nothing can be learned of counts as running."""
        try:
            return await self._jobs.is_running(job_id)
        except KubernetesError as error:
            _log.warning("Could not check container liveness for job %s, skipping\n%s", job_id, error)
            return True

    async def _was_heard_of(self, conversation: Conversation) -> bool:
        """Tell whether the end of a job that runs no more is passed on to its channel, which frees it."""
        for _look in range(round(LAST_WORDS / PAUSE)):
            present = await self._conversations.in_channel(conversation.platform, conversation.channel)
            if present is None or present.job_id != conversation.job_id:
                return True
            await asyncio.sleep(PAUSE)
        return False
