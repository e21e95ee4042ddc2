# SPDX-License-Identifier: GPL-3.0-or-later
"""A message in Slack, the Job that it spawns, and what both say until the Job is gone."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..pods.job_state import COMPLETE, FAILED, JobState
from .bot_message import Meaning, meaning_of, words_of
from .pod_refusal import is_for_good
from .stand_in_slack import StandInSlack

PAUSE = 0.3  # seconds between two looks: less than a step of the stand-in's agent takes
LAST_WORDS = 5.0  # seconds for the message of a Job that has ended, or for the Job after an answer that is unknown
FIRST_WORDS = 30.0  # seconds for the first message: an unreachable Redis takes 6, a slow start of the app as long
DELIVERED = "delivered"
AGENT_SMITH = "Agent Smith"
KUBERNETES = "Kubernetes"
# Waiting does not help any more: the kubelet has tried, or never will.
HOPELESS = (
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImagePullBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
_STEP = re.compile(r"\[(\d+)/(\d+)\]\*? *(.*)")

ReadJob = Callable[[str], tuple[dict[str, Any], JobState] | None]
"""Returns the Job of a channel and its state, None where there is none."""


@dataclass
class Conversation:
    """What was seen.

    Attributes:
        transcript: every version of every message, and what became of the Job, as (seconds since the first one, who,
            text).
        delivery: how the Dispatcher took the message, empty while that is not known.
        job: the Job with its state, as last seen.
        done: the text that ended it well, empty otherwise.
        error: the text that ended it badly, empty otherwise.
        ended: why nothing more was waited for, where no text of the app says so; empty otherwise.
        gone: whether the Job was removed; None where that was not waited for.
        job_has_ended: whether it has, or will after its last words. One that waits or works on is removed by nobody.
    """

    transcript: list[tuple[float, str, str]] = field(default_factory=list)
    delivery: str = ""
    job: tuple[dict[str, Any], JobState] | None = None
    done: str = ""
    error: str = ""
    ended: str = ""
    gone: bool | None = None
    job_has_ended: bool = False

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The steps of the pipeline that the app has reported: number and total."""
        found = (_STEP.search(text) for _seconds, who, text in self.transcript if who == AGENT_SMITH)
        return [(int(match[1]), int(match[2])) for match in found if match]

    def as_lines(self) -> list[str]:
        """Return it for people, one line a message."""
        return [f"{seconds:5.1f} s  {who:<11}  {' '.join(text.split())}" for seconds, who, text in self.transcript]


@dataclass
class _View:
    """Where a conversation stands. Times are the clock's.

    Attributes:
        ours: timestamp of the message that began it.
        last: what the bot's newest message means, None while there is none.
        over_since: since when the Job has ended, is gone or will never run; None while it goes on.
    """

    channel: str
    ours: str
    started: float
    seen: set[tuple[str, str]] = field(default_factory=set)
    last: Meaning | None = None
    last_at: float = 0.0
    job_is_gone: bool = False
    over_since: float | None = None


class Talk:
    """Holds one conversation.

    :param timeout: seconds from the message to the end of the work.
    :param cleanup_timeout: the longest time to live (seconds) of a Job for which its removal is waited for.
    """

    def __init__(
        self,
        slack: StandInSlack,
        read_job: ReadJob,
        timeout: float,
        cleanup_timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._slack = slack
        self._read_job = read_job
        self._timeout = timeout
        self._cleanup_timeout = cleanup_timeout
        self._clock = clock
        self._sleep = sleep

    def hold(self, channel: str, text: str) -> Conversation:
        """Write the message and look on until it has led to an end, or to nothing."""
        view = _View(channel, self._slack.say(channel, text), self._clock())
        conversation = Conversation()
        while True:
            job = self._read_job(channel)
            view.job_is_gone = conversation.job is not None and job is None
            conversation.job = job or conversation.job
            if job:
                self._note(conversation, describe_job(job[1]), view.started)
            self._listen(conversation, view)
            conversation.ended = self._why_nothing_follows(conversation, view)
            refused = conversation.delivery not in ("", DELIVERED)
            if conversation.done or conversation.error or refused or conversation.ended:
                break
            self._sleep(PAUSE)
        if conversation.job:
            ended = view.job_is_gone or conversation.job[1].state in (COMPLETE, FAILED)
            conversation.job_has_ended = ended or bool(conversation.done or conversation.error)
            conversation.gone = self._await_removal(conversation, channel, view.started)
        return conversation

    def _why_nothing_follows(self, conversation: Conversation, view: _View) -> str:
        """Return why waiting ends though no text of the app says so, an empty text if it goes on."""
        now, job = self._clock(), conversation.job
        over = job is not None and (view.job_is_gone or _is_over(job[1]))
        if not over:
            view.over_since = None
        elif view.over_since is None:
            view.over_since = now
        if view.over_since is not None and now - view.over_since > LAST_WORDS:
            return f"no further message within {LAST_WORDS:g} s after it"
        answered = view.last is Meaning.UNKNOWN and job is None
        if answered and now - view.last_at > LAST_WORDS:
            return f"no Job followed this answer within {LAST_WORDS:g} s"
        silent = conversation.delivery == DELIVERED and view.last is None and job is None
        if silent and now - view.started > FIRST_WORDS:
            return f"no answer and no Job within {FIRST_WORDS:g} s"
        return f"the time limit of {self._timeout:g} s is over" if now - view.started > self._timeout else ""

    def _note(self, conversation: Conversation, text: str, started: float) -> None:
        if text not in (noted for _seconds, who, noted in conversation.transcript if who == KUBERNETES):
            conversation.transcript.append((self._clock() - started, KUBERNETES, text))

    def _listen(self, conversation: Conversation, view: _View) -> None:
        for message in self._slack.messages(view.channel):
            if message["ts"] == view.ours:
                conversation.delivery = message.get("delivery") or ""
            words = words_of(message)
            if (message["ts"], words) in view.seen:
                continue
            view.seen.add((message["ts"], words))
            now, of_bot = self._clock(), "bot_id" in message
            conversation.transcript.append((now - view.started, AGENT_SMITH if of_bot else "you", words))
            if not of_bot:
                continue
            view.last, view.last_at = meaning_of(message), now
            if conversation.done or conversation.error:
                continue  # both were there at this look; the first end counts, as if it had been seen alone
            if view.last is Meaning.DONE:
                conversation.done = words
            if view.last is Meaning.FAILED:
                conversation.error = words

    def _await_removal(self, conversation: Conversation, channel: str, started: float) -> bool | None:
        if conversation.job is None:
            return None
        manifest, last_state = conversation.job
        ttl = manifest["spec"].get("ttlSecondsAfterFinished")
        if ttl is None or ttl > self._cleanup_timeout or not conversation.job_has_ended:
            return None
        # The pod ends a moment after its last message, and the controller gets to the Job a moment after its time.
        deadline = self._clock() + ttl + 30
        while job := self._read_job(channel):
            self._note(conversation, describe_job(job[1]), started)
            if self._clock() > deadline:
                return False
            self._sleep(PAUSE)
        self._note(conversation, f"Job {last_state.name} is gone, after its time to live of {ttl} s", started)
        return True


def describe_job(state: JobState) -> str:
    """Return a Job's name, its state and, where it does badly, the cause."""
    return f"Job {state.name} {state.state}" + (f", {state.cause}" if state.cause else "")


def _is_over(state: JobState) -> bool:
    return state.state in (COMPLETE, FAILED) or state.cause.startswith(HOPELESS) or is_for_good(state.cause)
