# SPDX-License-Identifier: GPL-3.0-or-later
"""A message in Slack, the Job that it spawns, and what both say until the Job is gone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.agentsmith.platform.plugins.module_utils.job_state import COMPLETE, FAILED, JobState

from .stand_in_slack import StandInSlack

PAUSE = 0.3  # seconds between two looks: less than a step of the stand-in's agent takes
LAST_WORDS = 5.0  # seconds for the message of a Job that has ended
DELIVERED = "delivered"
AGENT_SMITH = "Agent Smith"
KUBERNETES = "Kubernetes"
# Waiting does not help any more: the kubelet has tried, or never will.
HOPELESS = ("ErrImageNeverPull", "InvalidImageName", "ImagePullBackOff", "CreateContainerError", "RunContainerError")
_DONE = re.compile(r"\*Done!\*")
_ERROR = re.compile(r"encountered an error|There is already a job running")
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
        gone: whether the Job was removed; None where that was not waited for.
    """

    transcript: list[tuple[float, str, str]] = field(default_factory=list)
    delivery: str = ""
    job: tuple[dict[str, Any], JobState] | None = None
    done: str = ""
    error: str = ""
    gone: bool | None = None

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The steps of the pipeline that were reported: number and total."""
        found = (_STEP.search(text) for _seconds, _who, text in self.transcript)
        return [(int(match[1]), int(match[2])) for match in found if match]

    def as_lines(self) -> list[str]:
        """Return it for people, one line a message."""
        return [f"{seconds:5.1f} s  {who:<11}  {' '.join(text.split())}" for seconds, who, text in self.transcript]


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
        started, over_since = self._clock(), 0.0
        conversation = Conversation()
        ours = self._slack.say(channel, text)
        seen: set[tuple[str, str]] = set()
        while True:
            conversation.job = self._read_job(channel) or conversation.job
            if conversation.job:
                self._note(conversation, describe_job(conversation.job[1]), started)
            self._listen(conversation, channel, ours, seen, started)
            now = self._clock()
            if conversation.job and _is_over(conversation.job[1]):
                over_since = over_since or now
            silent = over_since and now - over_since > LAST_WORDS
            refused = conversation.delivery not in ("", DELIVERED)
            if conversation.done or conversation.error or refused or silent or now - started > self._timeout:
                break
            self._sleep(PAUSE)
        if conversation.job:
            conversation.gone = self._await_removal(conversation, channel, started)
        return conversation

    def _note(self, conversation: Conversation, text: str, started: float) -> None:
        if text not in (noted for _seconds, who, noted in conversation.transcript if who == KUBERNETES):
            conversation.transcript.append((self._clock() - started, KUBERNETES, text))

    def _listen(
        self, conversation: Conversation, channel: str, ours: str, seen: set[tuple[str, str]], started: float
    ) -> None:
        for message in self._slack.messages(channel):
            if message["ts"] == ours:
                conversation.delivery = message.get("delivery") or ""
            if (message["ts"], message["text"]) in seen:
                continue
            seen.add((message["ts"], message["text"]))
            of_bot = "bot_id" in message
            who, text = (AGENT_SMITH if of_bot else "you"), message["text"]
            conversation.transcript.append((self._clock() - started, who, text))
            if of_bot and _DONE.search(text):
                conversation.done = text
            if of_bot and _ERROR.search(text):
                conversation.error = text

    def _await_removal(self, conversation: Conversation, channel: str, started: float) -> bool | None:
        manifest, last_state = conversation.job
        ttl = manifest["spec"].get("ttlSecondsAfterFinished")
        if ttl is None or ttl > self._cleanup_timeout:
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
    return state.state in (COMPLETE, FAILED) or state.cause.startswith(HOPELESS)
