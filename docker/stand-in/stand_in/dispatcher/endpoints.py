# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's HTTP endpoints. Status codes and bodies are the app's: errors have an empty body."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

from aiohttp import web

from stand_in.background_tasks import BackgroundTasks
from stand_in.dispatcher.interaction_handler import InteractionHandler
from stand_in.dispatcher.message_handler import MessageHandler
from stand_in.dispatcher.slack_payload import (
    MalformedPayloadError,
    answer_in,
    interaction_json,
    message_in,
    parse_json,
    text_at,
)
from stand_in.slack_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed

LARGEST_BODY = 30_000_000
"""Bytes: the default limit of the app's web server (Kestrel)."""

_log = logging.getLogger("AgentSmith.Dispatcher")


class Endpoints:
    """The endpoints of one Dispatcher. What a request asks for is done after it has been answered."""

    def __init__(
        self, signing_secret: str, messages: MessageHandler, interactions: InteractionHandler, tasks: BackgroundTasks
    ) -> None:
        self._signing_secret = signing_secret
        self._messages = messages
        self._interactions = interactions
        self._tasks = tasks

    def application(self, *middlewares: object) -> web.Application:
        """Return the application; `middlewares` run outermost."""
        application = web.Application(
            middlewares=[*middlewares, _answer_errors_as_the_app_does], client_max_size=LARGEST_BODY
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
        payload = parse_json(body)
        if payload is None:
            raise web.HTTPBadRequest
        kind = text_at(payload, "type")
        if kind == "url_verification":
            return _json_response(challenge=text_at(payload, "challenge") or "")
        message = message_in(payload) if kind == "event_callback" else None
        if message is not None:
            self._tasks.start(self._messages.handle(message))
        return web.Response()

    async def slack_interact(self, request: web.Request) -> web.Response:
        """Take a pressed button: 200, 400 without a payload, 401 without a valid signature, 500 if malformed."""
        payload_text = interaction_json(await self._signed_body(request))
        payload = parse_json(payload_text) if payload_text is not None else None
        if payload is None:
            raise web.HTTPBadRequest
        answer = answer_in(payload) if text_at(payload, "type") == "block_actions" else None
        if answer is not None:
            self._tasks.start(self._interactions.handle(answer, payload))
        return web.Response()

    async def _signed_body(self, request: web.Request) -> str:
        body = await request.read()
        headers = request.headers
        if not is_signed(
            self._signing_secret, headers.get(TIMESTAMP_HEADER), headers.get(SIGNATURE_HEADER), body, time.time()
        ):
            raise web.HTTPUnauthorized
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
        _log.error("An unhandled exception has occurred while executing %s: %s.", request.path, error)
        return web.Response(status=500)
