# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher says in Slack, in the app's words and with its two methods of Slack's Web API."""

from __future__ import annotations

import logging

import aiohttp

REQUEST_TIMEOUT = 100.0
"""Seconds: the default of .NET's HttpClient."""
BAR_LENGTH = 10
_STEP_EMOJIS = {
    "fetching ticket": ":ticket:",
    "checking out source": ":file_folder:",
    "loading coding principles": ":books:",
    "analyzing codebase": ":mag:",
    "generating plan": ":bulb:",
    "awaiting approval": ":white_check_mark:",
    "executing plan": ":zap:",
    "generating tests": ":test_tube:",
    "running tests": ":rotating_light:",
    "generating docs": ":memo:",
    "creating pull request": ":rocket:",
}

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackAdapter")


class SlackAdapter:
    """Posts to a Slack API. A failure is logged and hides nothing else, as in the app."""

    def __init__(self, api_url: str, bot_token: str) -> None:
        """`api_url` is where the methods are, without a slash at its end. A blank one: nothing is ever posted."""
        self._api_url = api_url.rstrip("/")
        self._bot_token = bot_token
        # By channel, and forgotten only by Done and Error: the job after one that died unheard goes on in its message.
        self._progress_messages: dict[str, str] = {}

    async def send_message(self, channel: str, text: str) -> None:
        """Post a text."""
        await self._call("chat.postMessage", {"channel": channel, "text": text})

    async def send_progress(self, channel: str, step: int, total: int, label: str) -> None:
        """Post a step of a pipeline, or put it in place of the step before."""
        text = progress_text(step, total, label)
        if timestamp := self._progress_messages.get(channel):
            update = await self._call("chat.update", {"channel": channel, "ts": timestamp, "text": text})
            if update.get("ok") is True:
                return
        timestamp = (await self._call("chat.postMessage", {"channel": channel, "text": text})).get("ts")
        if timestamp:
            self._progress_messages[channel] = timestamp

    async def ask(self, channel: str, question_id: str, text: str) -> None:
        """Post a question with a button for yes and one for no."""
        buttons = [
            _button(question_id, "yes", "Yes :white_check_mark:", "primary"),
            _button(question_id, "no", "No :x:", "danger"),
        ]
        blocks = [_section(f":thought_balloon: *{text}*")]
        blocks.append({"type": "actions", "block_id": question_id, "elements": buttons})
        await self._call(
            "chat.postMessage",
            {"channel": channel, "text": f":thought_balloon: *Question:* {text}", "blocks": blocks},
        )

    async def show_answer(self, channel: str, timestamp: str, question: str, answer: str) -> None:
        """Put the answer in place of a question's buttons."""
        emoji = ":white_check_mark:" if answer.lower() == "yes" else ":x:"
        text = f":thought_balloon: *{question}*\n{emoji} Answered: *{answer}*"
        await self._call("chat.update", {"channel": channel, "ts": timestamp, "text": text, "blocks": [_section(text)]})

    async def send_done(self, channel: str, summary: str, pr_url: str) -> None:
        """Post that a job has succeeded."""
        self._progress_messages.pop(channel, None)
        link = f"\n:link: <{pr_url}|View Pull Request>" if pr_url.strip() else ""
        await self.send_message(channel, f":rocket: *Done!* {summary}{link}")

    async def send_error(self, channel: str, text: str) -> None:
        """Post that a job or a request has failed."""
        self._progress_messages.pop(channel, None)
        await self.send_message(channel, f":x: *Agent Smith encountered an error:*\n```{text}```")

    async def _call(self, method: str, payload: dict[str, object]) -> dict[str, object]:
        """Call a method and return Slack's answer, or an empty one where there is none."""
        if not self._api_url:
            _log.info("No Slack API is set: %s is not called", method)
            return {}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)) as session,
                session.post(
                    f"{self._api_url}/{method}",
                    json=payload,
                    headers={"Authorization": f"Bearer {self._bot_token}"},
                    raise_for_status=True,
                ) as response,
            ):
                answer = await response.json(content_type=None)
        except aiohttp.ClientError as error:
            _log.error("Slack API call failed: %s: %s", method, error)
            return {}
        except ValueError:
            _log.warning("Failed to parse Slack response for %s", method)
            return {}
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            answer = answer if isinstance(answer, dict) else {}
            _log.warning("Slack API %s returned ok=false: %s", method, answer.get("error", "unknown"))
        return answer


def progress_text(step: int, total: int, label: str) -> str:
    """Return a step's message: its number, its name and a bar. `total` is above 0."""
    filled = round(step / total * BAR_LENGTH)
    bar = "█" * filled + "░" * (BAR_LENGTH - filled)
    emoji = _STEP_EMOJIS.get(label.lower(), ":gear:")
    return f"{emoji} *[{step}/{total}]* {label}\n`[{bar}]` {step}/{total}"


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _button(question_id: str, value: str, label: str, style: str) -> dict[str, object]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": label},
        "style": style,
        "value": value,
        "action_id": f"{question_id}:{value}",
    }
