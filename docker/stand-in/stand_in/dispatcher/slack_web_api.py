# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls Slack's Web API. A failure is logged and hides nothing else, as in the app."""

from __future__ import annotations

import logging
import time

import aiohttp

from stand_in.console_log import event

REQUEST_TIMEOUT = 100.0
"""Seconds: the default of .NET's HttpClient."""

_log = logging.getLogger("AgentSmith.Dispatcher.Adapters.SlackAdapter")
_outer_log = logging.getLogger("System.Net.Http.HttpClient.Default.LogicalHandler")
_inner_log = logging.getLogger("System.Net.Http.HttpClient.Default.ClientHandler")


class SlackWebApi:
    """The methods under one address."""

    def __init__(self, url: str, bot_token: str) -> None:
        """`url` is where the methods are. A blank one: nothing is ever called."""
        self._url = url.rstrip("/")
        self._bot_token = bot_token

    async def call(self, method: str, payload: dict[str, object]) -> dict[str, object]:
        """Call a method and return Slack's answer, or an empty one where there is none."""
        if not self._url:
            _log.info("No Slack API is set: %s is not called", method)
            return {}
        try:
            answer = await self._post(f"{self._url}/{method}", payload)
        except aiohttp.ClientError as error:
            _log.error("Slack API call failed: %s\n%s: %s", method, type(error).__name__, error)
            return {}
        except ValueError:
            _log.warning("Failed to parse Slack response for %s", method)
            return {}
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            answer = answer if isinstance(answer, dict) else {}
            _log.warning("Slack API %s returned ok=false: %s", method, answer.get("error", "unknown"))
        return answer

    async def _post(self, url: str, payload: dict[str, object]) -> object:
        started = time.monotonic()
        _outer_log.info("Start processing HTTP request POST %s", url, extra=event(100))
        _inner_log.info("Sending HTTP request POST %s", url, extra=event(100))
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)) as session,
            session.post(
                url,
                json=payload,
                headers={"Authorization": f"Bearer {self._bot_token}"},
                raise_for_status=True,
            ) as response,
        ):
            taken = (time.monotonic() - started) * 1000
            _inner_log.info(
                "Received HTTP response headers after %.4fms - %d", taken, response.status, extra=event(101)
            )
            _outer_log.info("End processing HTTP request after %.4fms - %d", taken, response.status, extra=event(101))
            return await response.json(content_type=None)
