# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's HTTP endpoints. Status codes and bodies are the app's: errors have an empty body."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

from aiohttp import web

from stand_in.background_tasks import BackgroundTasks
from stand_in.console_log import event
from stand_in.dispatcher.dropped_messages import DroppedMessages
from stand_in.dispatcher.interaction_handler import InteractionHandler
from stand_in.dispatcher.message_handler import MessageHandler
from stand_in.dispatcher.request_log import log_request
from stand_in.dispatcher.slack_payload import (
    MalformedPayloadError,
    Message,
    interaction_json,
    message_in,
    parse_json,
    press_in,
    text_at,
)
from stand_in.slack_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed

LARGEST_BODY = 30_000_000
"""Bytes: the default limit of the app's web server (Kestrel)."""

_log = logging.getLogger("AgentSmith.Dispatcher.SlackEvents")
_server_log = logging.getLogger("Microsoft.AspNetCore.Server.Kestrel")


class Endpoints:
    """The endpoints of one Dispatcher. What a request asks for is done after it has been answered."""

    def __init__(
        self,
        signing_secret: str,
        messages: MessageHandler | DroppedMessages,
        interactions: InteractionHandler | None,
        tasks: BackgroundTasks,
    ) -> None:
        """Without a handler for interactions, nothing becomes of them."""
        self._signing_secret = signing_secret
        self._messages = messages
        self._interactions = interactions
        self._tasks = tasks

    def application(self, *middlewares: object) -> web.Application:
        """Return the application; `middlewares` run outermost."""
        application = web.Application(
            middlewares=[*middlewares, log_request, _answer_errors_as_the_app_does], client_max_size=LARGEST_BODY
        )
        application.router.add_get("/health", self.health, allow_head=False)
        application.router.add_post("/slack/events", self.slack_events)
        application.router.add_post("/slack/interact", self.slack_interact)
        return application

    async def health(self, _request: web.Request) -> web.Response:
        """Answer a constant: neither Redis nor Kubernetes is asked."""
        return _json_response(status="ok", timestamp=datetime.now(UTC).isoformat())

    async def slack_events(self, request: web.Request) -> web.Response:
        """Take an event of Slack: 200, 400 for JSON null, 401 without a valid signature, 500 if malformed."""
        body = await self._signed_body(request)
        if body is None:
            _log.warning("Slack signature verification failed")
            raise web.HTTPUnauthorized
        _log.info("Slack event body (%d chars): %s", len(body), body)
        payload = parse_json(body)
        if payload is None:
            raise web.HTTPBadRequest
        kind = text_at(payload, "type")
        if kind == "url_verification":
            return _json_response(challenge=text_at(payload, "challenge") or "")
        if kind != "event_callback":
            _log.warning("Ignoring Slack event with type=%s", kind)
        elif (message := message_in(payload)) is None:
            fields = (text_at(payload, "event", name) for name in ("type", "bot_id", "subtype"))
            _log.warning("ExtractEventFields returned empty text. event_type=%s, bot_id=%s, subtype=%s", *fields)
        else:
            self._dispatch(message)
        return web.Response()

    def _dispatch(self, message: Message) -> None:
        _log.info(
            "Dispatching Slack message: text=%s, user=%s, channel=%s", message.text, message.user, message.channel
        )
        self._tasks.start(self._messages.handle(message))

    async def slack_interact(self, request: web.Request) -> web.Response:
        """Take a pressed button: 200, 400 without a payload, 401 without a valid signature, 500 if malformed."""
        body = await self._signed_body(request)
        if body is None:
            raise web.HTTPUnauthorized
        payload_text = interaction_json(body)
        payload = parse_json(payload_text) if payload_text is not None else None
        if payload is None:
            raise web.HTTPBadRequest
        press = press_in(payload) if text_at(payload, "type") == "block_actions" else None
        if press is not None and self._interactions is not None:
            self._tasks.start(self._interactions.handle(press))
        return web.Response()

    async def _signed_body(self, request: web.Request) -> str | None:
        """Return the body of a request with a valid signature."""
        body = await request.read()
        headers = request.headers
        if not is_signed(
            self._signing_secret, headers.get(TIMESTAMP_HEADER), headers.get(SIGNATURE_HEADER), body, time.time()
        ):
            return None
        return body.decode("utf-8", "replace")


def _json_response(**values: str) -> web.Response:
    return web.Response(
        text=json.dumps(values, separators=(",", ":")), content_type="application/json", charset="utf-8"
    )


@web.middleware
async def _answer_errors_as_the_app_does(request: web.Request, handler: object) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        allow = {name: value for name, value in error.headers.items() if name == "Allow"}
        return web.Response(status=error.status, headers=allow)
    except MalformedPayloadError as error:
        _server_log.error(
            "An unhandled exception was thrown by the application.\n%s at %s.", error, request.path, extra=event(13)
        )
        return web.Response(status=500)
