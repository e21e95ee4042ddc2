# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the stand-in Dispatcher: Redis first, then HTTP, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

from stand_in.console_log import log_to_console
from stand_in.endpoints import Endpoints
from stand_in.http_server import HttpServer
from stand_in.kubernetes_detection import missing_for_cluster
from stand_in.listen_addresses import DEFAULT_URLS, ListenAddressError, parse_listen_addresses
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration
from stand_in.redis_connection import RedisConnection, RedisConnectionError

DEFAULT_REDIS = "localhost:6379"
SHUTDOWN_TIMEOUT = 30.0
"""Seconds: the app's host waits this long for running requests."""

_log = logging.getLogger("AgentSmith.Dispatcher")
_lifetime_log = logging.getLogger("Microsoft.Hosting.Lifetime")


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop on demand, 1 where it could not start."""
    log_to_console(os.environ.get("ASPNETCORE_ENVIRONMENT") == "Development")
    _log.warning(
        "STAND-IN: this is test equipment in place of the Agent Smith Dispatcher. It fixes no ticket and must never "
        "serve a real Slack workspace."
    )
    try:
        asyncio.run(_run(os.environ))
    except RedisConfigurationError as error:
        return _crash(f"System.ArgumentException: {error}")
    except RedisConnectionError as error:
        return _crash(f"StackExchange.Redis.RedisConnectionException: {error}")
    except ListenAddressError as error:
        return _crash(f"System.IO.IOException: {error}")
    return 0


async def _run(environment: Mapping[str, str]) -> None:
    stop_wanted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Set before anything slow: as process 1 of a container, a signal without a handler would be ignored.
        asyncio.get_running_loop().add_signal_handler(number, stop_wanted.set)
    addresses = parse_listen_addresses(environment.get("ASPNETCORE_URLS") or DEFAULT_URLS)
    redis = RedisConnection(parse_redis_configuration(environment.get("REDIS_URL", DEFAULT_REDIS)))
    server = HttpServer(Endpoints(_signing_secret(environment)))
    background = None
    try:
        if not await _finished_before(stop_wanted, redis.connect()):
            return
        background = asyncio.create_task(redis.keep_connected())
        _log_kubernetes(environment)
        await server.start(addresses)
        _lifetime_log.info("Application started. Press Ctrl+C to shut down.")
        await stop_wanted.wait()
        _lifetime_log.info("Application is shutting down...")
        await server.stop(SHUTDOWN_TIMEOUT)
    finally:
        if background is not None:
            background.cancel()
            with suppress(asyncio.CancelledError):
                await background
        await redis.close()


async def _finished_before(event: asyncio.Event, work: object) -> bool:
    """Do the work unless the event comes first. Raises what the work raises."""
    task = asyncio.ensure_future(work)
    waiter = asyncio.ensure_future(event.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return False


def _signing_secret(environment: Mapping[str, str]) -> str:
    secret = environment.get("SLACK_SIGNING_SECRET", "")
    if not secret.strip():
        _log.warning("SLACK_SIGNING_SECRET is blank: every request is accepted, signed or not, as the app does.")
    return secret


def _log_kubernetes(environment: Mapping[str, str]) -> None:
    missing = missing_for_cluster(environment)
    if missing:
        _log.warning(
            "Kubernetes not available: %s missing. 'fix' commands will be disabled. 'list' and 'create' still work.",
            ", ".join(missing),
        )
    else:
        _log.info("Kubernetes available — 'fix' commands enabled via KubernetesJobSpawner.")


def _crash(message: str) -> int:
    """Report in the words of a .NET process that dies of an exception, which is what the app does here."""
    sys.stderr.write(f"Unhandled exception. {message}\n")
    return 1
