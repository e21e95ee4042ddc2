# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the stand-in Dispatcher: Redis first, then HTTP, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from stand_in.app_version import AppVersion, AppVersionError, app_version
from stand_in.background_tasks import BackgroundTasks
from stand_in.console_log import START_UP, log_to_console
from stand_in.dispatcher.assembly import OutsideClusterError, assemble
from stand_in.dispatcher.settings import SettingsError, job_settings
from stand_in.http_server import HttpServer
from stand_in.listen_addresses import ListenAddressError, parse_listen_addresses
from stand_in.log_levels import LogLevelError
from stand_in.process import ABORTED, cancel, crash, finished_before, lowest_level, stop_signal
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration
from stand_in.redis_connection import RedisConnection, RedisConnectionError

DEFAULT_REDIS = "localhost:6379"
SHUTDOWN_TIMEOUT = 30.0
"""Seconds: the app's host waits this long for running requests."""
BANNER = (
    "STAND-IN: this is test equipment in place of the Agent Smith Dispatcher {name}. It fixes no ticket and must never "
    "serve a real Slack workspace."
)
# The exceptions that end the app, and what they are called there.
_CRASHES: Mapping[type[Exception], str] = {
    RedisConfigurationError: "System.ArgumentException",
    RedisConnectionError: "StackExchange.Redis.RedisConnectionException",
    ListenAddressError: "System.IO.IOException",
    OutsideClusterError: "k8s.Exceptions.KubeConfigException",
    LogLevelError: "System.InvalidOperationException",
    SettingsError: "stand-in",
    AppVersionError: "stand-in",
}

_start_up_log = logging.getLogger(START_UP)
_lifetime_log = logging.getLogger("Microsoft.Hosting.Lifetime")


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop on demand, 134 where it could not start."""
    try:
        version = app_version(os.environ)
        # Not logged, because the app's banner is not either: it stays as it is, whatever the log's format.
        print(BANNER.format(name=version.name), flush=True)
        log_to_console(os.environ, lowest_level(os.environ))
        asyncio.run(_run(os.environ, version))
    except tuple(_CRASHES) as error:
        name = next(name for kind, name in _CRASHES.items() if isinstance(error, kind))
        return crash(f"Unhandled exception. {name}: {error}", ABORTED)
    return 0


async def _run(environment: Mapping[str, str], version: AppVersion) -> None:
    stop_wanted = stop_signal()
    addresses = parse_listen_addresses(environment.get("ASPNETCORE_URLS") or version.listen_urls)
    settings = job_settings(environment, version)
    redis = RedisConnection(parse_redis_configuration(environment.get("REDIS_URL", DEFAULT_REDIS)))
    tasks = BackgroundTasks()
    keep_connected = None
    try:
        if not await finished_before(stop_wanted, redis.connect()):
            return
        _start_up_log.info("Spawner type: kubernetes")
        keep_connected = asyncio.create_task(redis.keep_connected())
        server = HttpServer(assemble(environment, settings, redis, tasks).application)
        await server.start(addresses)
        _lifetime_log.info("Application started. Press Ctrl+C to shut down.")
        _lifetime_log.info("Hosting environment: %s", environment.get("ASPNETCORE_ENVIRONMENT", "Production"))
        _lifetime_log.info("Content root path: %s", Path.cwd())
        await stop_wanted.wait()
        _lifetime_log.info("Application is shutting down...")
        await server.stop(SHUTDOWN_TIMEOUT)
    finally:
        await tasks.stop()
        if keep_connected is not None:
            await cancel(keep_connected)
        await redis.close()
