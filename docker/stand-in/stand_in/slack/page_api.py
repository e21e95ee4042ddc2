# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does in the stand-in Slack: the page's JSON API, which tests and verify use too. No token is asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import web

from stand_in.background_tasks import BackgroundTasks
from stand_in.slack.buttons import pressed_button
from stand_in.slack.event_sender import EventSender
from stand_in.slack.workspace import PERSON, Channel, Message, Workspace, WorkspaceError

KEEP_ALIVE = 15.0
"""Seconds of silence after which a stream of changes says that it is still there."""
_NOT_FOUND = ("channel_not_found", "message_not_found", "action_not_found")


class PageApi:
    """Answers below `/stand-in` for one workspace."""

    def __init__(self, workspace: Workspace, sender: EventSender, tasks: BackgroundTasks) -> None:
        self._workspace = workspace
        self._sender = sender
        self._tasks = tasks

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the paths."""
        router.add_get("/stand-in/channels", self.channels)
        router.add_post("/stand-in/channels", self.add_channel)
        router.add_get("/stand-in/channels/{channel}/messages", self.messages)
        router.add_post("/stand-in/channels/{channel}/messages", self.post_message)
        router.add_post("/stand-in/channels/{channel}/messages/{ts}/actions", self.press_button)
        router.add_get("/stand-in/changes", self.changes)

    async def channels(self, _request: web.Request) -> web.Response:
        """List the channels, the oldest first."""
        return web.json_response({"channels": [channel.to_json() for channel in self._workspace.channels]})

    async def add_channel(self, request: web.Request) -> web.Response:
        """Make a channel of the name in the body."""
        channel = self._workspace.add_channel((await _body(request)).get("name"))
        return web.json_response(channel.to_json(), status=201)

    async def messages(self, request: web.Request) -> web.Response:
        """List the messages of a channel, the oldest first."""
        channel = self._workspace.channel(request.match_info["channel"])
        return web.json_response({"messages": [message.to_json() for message in channel.messages.values()]})

    async def post_message(self, request: web.Request) -> web.Response:
        """Say the text in the body; the Dispatcher gets it as an event, and `delivery` tells how it took that."""
        channel = self._workspace.channel(request.match_info["channel"])
        text = (await _body(request)).get("text")
        if not isinstance(text, str) or not text.strip():
            raise WorkspaceError("no_text")
        message = Message(self._workspace.next_ts(), PERSON, text.strip())
        self._workspace.post(channel, message)
        self._tasks.start(self._deliver(channel, message))
        return web.json_response(message.to_json(), status=201)

    async def press_button(self, request: web.Request) -> web.Response:
        """Press the button whose `action_id` is in the body, and answer how the Dispatcher took that."""
        channel = self._workspace.channel(request.match_info["channel"])
        message = self._workspace.message(channel, request.match_info["ts"])
        action = pressed_button(message, (await _body(request)).get("action_id"))
        return web.json_response({"delivery": await self._sender.send_action(channel, message, action)})

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """Stream changes as server-sent events, from the first one after the comment `connected`."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        # A browser that is gone shows at the next write only.
        with self._workspace.watching() as queue, suppress(ConnectionResetError):
            await response.write(b": connected\n\n")
            while True:
                try:
                    change = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                except TimeoutError:
                    await response.write(b": nothing new\n\n")
                    continue
                if change is None:
                    break
                await response.write(f"data: {json.dumps(change)}\n\n".encode())
        return response

    async def _deliver(self, channel: Channel, message: Message) -> None:
        message.delivery = await self._sender.send_message(channel, message)
        self._workspace.changed(channel, message)


@web.middleware
async def answer_errors_as_json(request: web.Request, handler: object) -> web.StreamResponse:
    """Answer `{"error": code}` with status 404 or 400 where the workspace refuses."""
    try:
        return await handler(request)
    except WorkspaceError as error:
        return web.json_response({"error": str(error)}, status=404 if str(error) in _NOT_FOUND else 400)


async def _body(request: web.Request) -> dict[str, object]:
    try:
        node = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise WorkspaceError("invalid_json") from None
    if not isinstance(node, dict):
        raise WorkspaceError("json_not_object")
    return node
