# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the stand-in Slack, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping

from aiohttp import web

from stand_in.background_tasks import BackgroundTasks
from stand_in.console_log import log_to_console
from stand_in.http_server import HttpServer
from stand_in.listen_addresses import ListenAddressError, parse_listen_addresses
from stand_in.process import FAILED, crash, lowest_level, stop_signal
from stand_in.slack.event_sender import EventSender
from stand_in.slack.page_api import PageApi, answer_errors_as_json
from stand_in.slack.page_files import add_page_routes
from stand_in.slack.server_certificate import CERTIFICATE_FILE, KEY_FILE, server_tls
from stand_in.slack.settings import SettingsError, required, required_file
from stand_in.slack.web_api import WebApi
from stand_in.slack.workspace import Workspace

URLS = "STAND_IN_SLACK_URLS"
DEFAULT_URLS = "http://+:8081"
SHUTDOWN_TIMEOUT = 5.0
"""Seconds that running requests have left."""

_log = logging.getLogger("stand_in.slack")


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop on demand, 1 where it could not start."""
    log_to_console(os.environ, lowest_level(os.environ))
    _log.warning("STAND-IN: this is test equipment in place of Slack. Everybody who reaches it may read and write.")
    try:
        asyncio.run(_run(os.environ))
    except (ListenAddressError, SettingsError) as error:
        return crash(f"stand-in: {error}", FAILED)
    return 0


async def _run(environment: Mapping[str, str]) -> None:
    stop_wanted = stop_signal()
    sender = EventSender(
        required(environment, "STAND_IN_DISPATCHER_URL", "where the Dispatcher is, as in http://agentsmith-dispatcher"),
        required_file(
            environment,
            "SLACK_SIGNING_SECRET_FILE",
            "a file with the Dispatcher's signing secret",
        )
        .read_text(encoding="utf-8")
        .strip(),
    )
    addresses = parse_listen_addresses(environment.get(URLS) or DEFAULT_URLS, URLS, with_tls=True)
    tls = _tls(environment) if any(address.tls for address in addresses) else None
    workspace = Workspace()
    tasks = BackgroundTasks()
    server = HttpServer(lambda *middlewares: _application(workspace, sender, tasks, *middlewares))
    await server.start(addresses, tls)
    await stop_wanted.wait()
    workspace.stop_watching()
    await server.stop(SHUTDOWN_TIMEOUT)
    await tasks.stop()


def _application(
    workspace: Workspace, sender: EventSender, tasks: BackgroundTasks, *middlewares: object
) -> web.Application:
    application = web.Application(middlewares=[*middlewares, answer_errors_as_json])
    web_api = WebApi(workspace)
    application.router.add_get("/health", _health)
    application.router.add_route("*", "/api/{method}", web_api.call)
    PageApi(workspace, sender, tasks).add_routes(application.router)
    add_page_routes(application.router)
    return application


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext:
    reason = f"{URLS} has an https address, which needs"
    return server_tls(
        required_file(
            environment, CERTIFICATE_FILE, f"{reason} a certificate for it, with what leads to the CA, in PEM"
        ),
        required_file(environment, KEY_FILE, f"{reason} the certificate's private key, in PEM"),
    )
