# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher posts to Slack, in the app's words and shapes."""

from __future__ import annotations

from stand_in.app_version import AppVersion
from stand_in.dispatcher.failure_message import Failure, FailureButtons, failure_blocks, failure_text
from stand_in.dispatcher.progress_text import progress_text, starting_text
from stand_in.dispatcher.slack_blocks import actions, button, section
from stand_in.dispatcher.slack_web_api import SlackWebApi

CLARIFICATION = "clarification"
"""What the actions of the buttons under an ambiguous message begin with."""
CONFIRM = "confirm"


class SlackAdapter:
    """Posts, and updates what it has posted."""

    def __init__(self, api: SlackWebApi, version: AppVersion, buttons: FailureButtons) -> None:
        self._api = api
        self._version = version
        self._buttons = buttons
        # By channel, and forgotten only by Done and Error: the job after one that died unheard goes on in its message.
        self._progress_messages: dict[str, str] = {}

    async def send_message(self, channel: str, text: str) -> None:
        """Post a text."""
        await self._api.call("chat.postMessage", {"channel": channel, "text": text})

    async def send_error(self, channel: str, text: str) -> None:
        """Post why a message could not be worked on."""
        await self.send_message(channel, f":x: {text}")

    async def send_starting(self, channel: str, ticket: int, project: str) -> None:
        """Post that a job is being spawned."""
        await self.send_message(channel, starting_text(self._version, ticket, project))

    async def send_progress(self, channel: str, step: int, total: int, label: str) -> None:
        """Post a step of a pipeline, or put it in place of the step before."""
        text = progress_text(self._version, step, total, label)
        if timestamp := self._progress_messages.get(channel):
            update = await self._api.call("chat.update", {"channel": channel, "ts": timestamp, "text": text})
            if update.get("ok") is True:
                return
        timestamp = (await self._api.call("chat.postMessage", {"channel": channel, "text": text})).get("ts")
        if timestamp:
            self._progress_messages[channel] = timestamp

    async def ask(self, channel: str, question_id: str, text: str) -> None:
        """Post a question with a button for yes and one for no."""
        yes = button(f"{question_id}:yes", "Yes :white_check_mark:", style="primary", value="yes")
        no = button(f"{question_id}:no", "No :x:", style="danger", value="no")
        await self._api.call(
            "chat.postMessage",
            {
                "channel": channel,
                "text": f":thought_balloon: *Question:* {text}",
                "blocks": [section(f":thought_balloon: *{text}*"), actions(question_id, yes, no)],
            },
        )

    async def ask_whether_meant(self, channel: str, suggestion: str) -> None:
        """Post what an ambiguous message may have meant, with a button to confirm it and one for help."""
        text = f":thinking_face: Did you mean: *{suggestion}*?"
        confirm = button(f"{CLARIFICATION}:{CONFIRM}", "Yes, do it", style="primary", value=CONFIRM)
        help_instead = button(f"{CLARIFICATION}:help", "Show help", value="help")
        blocks = [section(text), actions(CLARIFICATION, confirm, help_instead)]
        await self._api.call("chat.postMessage", {"channel": channel, "text": text, "blocks": blocks})

    async def show_answer(self, channel: str, timestamp: str, question: str, answer: str) -> None:
        """Put the answer in place of a question's buttons."""
        emoji = ":white_check_mark:" if answer.lower() == "yes" else ":x:"
        text = f":thought_balloon: *{question}*\n{emoji} Answered: *{answer}*"
        await self._api.call(
            "chat.update", {"channel": channel, "ts": timestamp, "text": text, "blocks": [section(text)]}
        )

    async def send_done(self, channel: str, summary: str, pr_url: str) -> None:
        """Post that a job has succeeded."""
        self._progress_messages.pop(channel, None)
        link = f"\n:link: <{pr_url}|View Pull Request>" if pr_url.strip() else ""
        await self.send_message(channel, f":rocket: *Done!* {summary}{link}")

    async def send_failure(self, channel: str, failure: Failure) -> None:
        """Post that a job has failed. The reason is in the blocks alone."""
        self._progress_messages.pop(channel, None)
        await self._api.call(
            "chat.postMessage",
            {
                "channel": channel,
                "text": failure_text(failure),
                "blocks": failure_blocks(failure, self._buttons),
            },
        )
