# SPDX-License-Identifier: GPL-3.0-or-later
"""What ASP.NET Core logs of every request: twelve lines for /health, unless the log levels say otherwise."""

from __future__ import annotations

import logging
import time

from aiohttp import web

from stand_in.console_log import event

_HANDLERS = {"/slack/events": " => HandleSlackEventsAsync", "/slack/interact": " => HandleSlackInteractAsync"}
_RESULTS = {200: "OkObjectResult", 400: "BadRequestObjectResult", 401: "UnauthorizedResult"}
_VALUES = {"/health": "<>f__AnonymousType0`2", "/slack/events": "<>f__AnonymousType1`1"}

_diagnostics_log = logging.getLogger("Microsoft.AspNetCore.Hosting.Diagnostics")
_endpoint_log = logging.getLogger("Microsoft.AspNetCore.Routing.EndpointMiddleware")


@web.middleware
async def log_request(request: web.Request, handler: object) -> web.StreamResponse:
    """Log a request, what becomes of it and how long it takes."""
    started = time.monotonic()
    address = f"HTTP/{request.version.major}.{request.version.minor} {request.method} {request.url}"
    length = request.headers.get("Content-Length", "-")
    _diagnostics_log.info(
        "Request starting %s - %s %s", address, request.headers.get("Content-Type", "-"), length, extra=event(1)
    )
    endpoint = _endpoint(request)
    if endpoint:
        _endpoint_log.info("Executing endpoint '%s'", endpoint)
    response = await handler(request)
    _log_result(request, response)
    if endpoint:
        _endpoint_log.info("Executed endpoint '%s'", endpoint, extra=event(1))
    _diagnostics_log.info(
        "Request finished %s - %d - %s %.4fms",
        address,
        response.status,
        response.headers.get("Content-Type", "-").replace(" ", "+") if response.body else "-",
        (time.monotonic() - started) * 1000,
        extra=event(2),
    )
    return response


def _endpoint(request: web.Request) -> str:
    """Return the name of what answers, an empty one for a path that nothing answers."""
    refusal = request.match_info.http_exception
    if refusal is None:
        return f"HTTP: {request.method} {request.path}{_HANDLERS.get(request.path, '')}"
    return "405 HTTP Method Not Supported" if refusal.status == 405 else ""


def _log_result(request: web.Request, response: web.Response) -> None:
    result = _RESULTS.get(response.status)
    if result is None:
        return
    log = logging.getLogger(f"Microsoft.AspNetCore.Http.Result.{result}")
    log.info("Setting HTTP status code %d.", response.status, extra=event(1))
    if response.body:
        log.info("Writing value of type '%s' as Json.", _VALUES[request.path], extra=event(3))
