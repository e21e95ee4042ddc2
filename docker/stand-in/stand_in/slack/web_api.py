# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of Slack's Web API that a bot like Agent Smith calls: https://api.slack.com/methods

As there, an error is HTTP 200 with `"ok": false` and a code.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping

from aiohttp import web

from stand_in.slack.workspace import BOT, BOT_USER, TEAM, Channel, Message, Workspace, WorkspaceError

LONGEST_TEXT = 40_000
"""Characters, as in Slack."""
_BOT_TOKEN = re.compile(r"Bearer xoxb-\S+")

_log = logging.getLogger("stand_in.slack.WebApi")

Arguments = Mapping[str, object]


class WebApi:
    """Answers `/api/<method>` for one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._methods: dict[str, Callable[[Arguments], dict[str, object]]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.list": self._list,
            "conversations.history": self._history,
        }

    async def call(self, request: web.Request) -> web.Response:
        """Call the method in the path."""
        try:
            _check_token(request.headers.get("Authorization", ""))
            method = self._methods.get(request.match_info["method"])
            if method is None:
                raise WorkspaceError("unknown_method")
            answer = {"ok": True, **method(await _arguments(request))}
        except WorkspaceError as error:
            answer = {"ok": False, "error": str(error)}
        # Not the query, which may hold a text or a token
        _log.info(
            "%s %s://%s%s: %s",
            request.method,
            request.scheme,
            request.host,
            request.rel_url.raw_path,
            answer.get("error", "ok"),
        )
        return web.json_response(answer)

    def _auth_test(self, _arguments: Arguments) -> dict[str, object]:
        return {"team": "Stand-in", "team_id": TEAM, "user": "agent-smith", "user_id": BOT_USER, "bot_id": BOT}

    def _post_message(self, arguments: Arguments) -> dict[str, object]:
        channel = self._workspace.channel(arguments.get("channel"))
        text, blocks = _content(arguments)
        thread = arguments.get("thread_ts")
        if not isinstance(thread, str | None):
            raise WorkspaceError("invalid_arguments")
        message = Message(self._workspace.next_ts(), BOT_USER, text, bot=True, blocks=blocks, thread_ts=thread)
        self._workspace.post(channel, message)
        return _posted(channel, message)

    def _update(self, arguments: Arguments) -> dict[str, object]:
        channel = self._workspace.channel(arguments.get("channel"))
        message = self._workspace.message(channel, arguments.get("ts"))
        if not message.bot:
            raise WorkspaceError("cant_update_message")
        message.text, message.blocks = _content(arguments)
        message.edited = True
        self._workspace.changed(channel, message)
        return {**_posted(channel, message), "text": message.text}

    def _list(self, _arguments: Arguments) -> dict[str, object]:
        return {"channels": [channel.to_json() for channel in self._workspace.channels]}

    def _history(self, arguments: Arguments) -> dict[str, object]:
        messages = self._workspace.channel(arguments.get("channel")).messages.values()
        # The newest first, as in Slack.
        return {"messages": [message.to_json() for message in reversed(messages)], "has_more": False}


def _check_token(authorization: str) -> None:
    if not authorization.removeprefix("Bearer").strip():
        raise WorkspaceError("not_authed")
    if not _BOT_TOKEN.fullmatch(authorization):
        raise WorkspaceError("invalid_auth")


async def _arguments(request: web.Request) -> Arguments:
    """Read the arguments: JSON in a POST, else form fields or the query."""
    if request.method == "GET":
        return request.query
    if request.content_type != "application/json":
        return await request.post()
    try:
        node = await request.json()
    except json.JSONDecodeError:
        raise WorkspaceError("invalid_json") from None
    if not isinstance(node, dict):
        raise WorkspaceError("json_not_object")
    return node


def _content(arguments: Arguments) -> tuple[str, list[object]]:
    text, blocks = arguments.get("text") or "", arguments.get("blocks") or []
    if not isinstance(text, str) or not isinstance(blocks, list):
        raise WorkspaceError("invalid_arguments")
    if not text and not blocks:
        raise WorkspaceError("no_text")
    if len(text) > LONGEST_TEXT:
        raise WorkspaceError("msg_too_long")
    return text, blocks


def _posted(channel: Channel, message: Message) -> dict[str, object]:
    return {"channel": channel.id, "ts": message.ts, "message": message.to_json()}
