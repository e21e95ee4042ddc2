# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the stand-in Dispatcher: Redis first, then HTTP, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping

from stand_in.background_tasks import BackgroundTasks
from stand_in.console_log import log_to_console
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.create_ticket import CreateTicketHandler
from stand_in.dispatcher.endpoints import Endpoints
from stand_in.dispatcher.fix_ticket import FixTicketHandler
from stand_in.dispatcher.interaction_handler import InteractionHandler
from stand_in.dispatcher.job_listener import JobListener
from stand_in.dispatcher.job_manifest import JobSettings
from stand_in.dispatcher.kubernetes_detection import missing_for_cluster
from stand_in.dispatcher.kubernetes_jobs import KubernetesJobs
from stand_in.dispatcher.list_tickets import ListTicketsHandler
from stand_in.dispatcher.message_handler import MessageHandler
from stand_in.dispatcher.settings import SLACK_API_SWITCH, SettingsError, job_settings, service_account_directory
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.http_server import HttpServer
from stand_in.listen_addresses import DEFAULT_URLS, ListenAddressError, parse_listen_addresses
from stand_in.message_bus import MessageBus
from stand_in.process import cancel, crash, finished_before, is_development, stop_signal
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration
from stand_in.redis_connection import RedisConnection, RedisConnectionError

DEFAULT_REDIS = "localhost:6379"
SHUTDOWN_TIMEOUT = 30.0
"""Seconds: the app's host waits this long for running requests."""

_log = logging.getLogger("AgentSmith.Dispatcher")
_lifetime_log = logging.getLogger("Microsoft.Hosting.Lifetime")


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop on demand, 1 where it could not start."""
    log_to_console(is_development())
    _log.warning(
        "STAND-IN: this is test equipment in place of the Agent Smith Dispatcher. It fixes no ticket and must never "
        "serve a real Slack workspace."
    )
    try:
        asyncio.run(_run(os.environ))
    except RedisConfigurationError as error:
        return crash(f"System.ArgumentException: {error}")
    except RedisConnectionError as error:
        return crash(f"StackExchange.Redis.RedisConnectionException: {error}")
    except ListenAddressError as error:
        return crash(f"System.IO.IOException: {error}")
    except SettingsError as error:
        return crash(f"stand-in: {error}")
    return 0


async def _run(environment: Mapping[str, str]) -> None:
    stop_wanted = stop_signal()
    addresses = parse_listen_addresses(environment.get("ASPNETCORE_URLS") or DEFAULT_URLS)
    settings = job_settings(environment)
    redis = RedisConnection(parse_redis_configuration(environment.get("REDIS_URL", DEFAULT_REDIS)))
    tasks = BackgroundTasks()
    keep_connected = None
    try:
        if not await finished_before(stop_wanted, redis.connect()):
            return
        keep_connected = asyncio.create_task(redis.keep_connected())
        server = HttpServer(_endpoints(environment, settings, redis, tasks).application)
        await server.start(addresses)
        _lifetime_log.info("Application started. Press Ctrl+C to shut down.")
        await stop_wanted.wait()
        _lifetime_log.info("Application is shutting down...")
        await server.stop(SHUTDOWN_TIMEOUT)
    finally:
        await tasks.stop()
        if keep_connected is not None:
            await cancel(keep_connected)
        await redis.close()


def _endpoints(
    environment: Mapping[str, str], settings: JobSettings, redis: RedisConnection, tasks: BackgroundTasks
) -> Endpoints:
    bus = MessageBus(redis)
    conversations = Conversations(redis)
    slack = _slack(environment)
    listener = JobListener(bus, conversations, slack, tasks)
    jobs = _jobs(environment)
    return Endpoints(
        _signing_secret(environment),
        MessageHandler(
            slack,
            FixTicketHandler(jobs, settings, slack, conversations, listener) if jobs else None,
            ListTicketsHandler(slack, environment),
            CreateTicketHandler(slack, environment),
        ),
        InteractionHandler(bus, conversations, slack),
        tasks,
    )


def _signing_secret(environment: Mapping[str, str]) -> str:
    secret = environment.get("SLACK_SIGNING_SECRET", "")
    if not secret.strip():
        _log.warning("SLACK_SIGNING_SECRET is blank: every request is accepted, signed or not, as the app does.")
    return secret


def _slack(environment: Mapping[str, str]) -> SlackAdapter:
    api_url = environment.get(SLACK_API_SWITCH, "").strip()
    if not api_url:
        _log.warning("%s is not set: nothing is posted. The stand-in never calls slack.com.", SLACK_API_SWITCH)
    return SlackAdapter(api_url, environment.get("SLACK_BOT_TOKEN", ""))


def _jobs(environment: Mapping[str, str]) -> KubernetesJobs | None:
    service_account = service_account_directory(environment)
    missing = missing_for_cluster(environment, service_account)
    if missing:
        _log.warning(
            "Kubernetes not available: %s missing. 'fix' commands will be disabled. 'list' and 'create' still work.",
            ", ".join(missing),
        )
        return None
    _log.info("Kubernetes available — 'fix' commands enabled via KubernetesJobSpawner.")
    return KubernetesJobs(environment, service_account)
