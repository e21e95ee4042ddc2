# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's connection to Redis, with the start-up and reconnect behaviour of StackExchange.Redis."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionLostError
from redis.exceptions import TimeoutError as RedisTimeoutError

from stand_in.redis_configuration import Endpoint, RedisConfiguration

HEARTBEAT = 1.0
"""Seconds between two looks at a connection: the library's HeartbeatInterval."""
LONGEST_RECONNECT_DELAY = 60.0
"""Seconds: the upper bound of the library's ExponentialRetry."""
BACKLOG_INTERVAL = 0.1
"""Seconds between two attempts to send a command that waits for a lost connection."""

Result = TypeVar("Result")

_log = logging.getLogger("StackExchange.Redis")


UNREACHABLE = "It was not possible to connect to the redis server(s)."
CONNECTING = (
    "Error connecting right now. To allow this multiplexer to continue retrying until it's able to connect, use "
    "abortConnect=false in your connection string or AbortOnConnectFail=false; in your code."
)
AUTHENTICATION = (
    "There was an authentication failure; check that passwords (or client certificates) are configured correctly."
)


class RedisConnectionError(Exception):
    """No end point could be reached. The message has the library's words, but never an end point: see the README."""


class RedisConnection:
    """A connection to every end point of a configuration; one that answers is enough."""

    def __init__(self, configuration: RedisConfiguration) -> None:
        self._configuration = configuration
        self._clients = [_client(configuration, endpoint) for endpoint in configuration.endpoints]
        self._connected = False

    async def connect(self) -> None:
        """Make the first connection: `connectRetry` attempts of at most `connectTimeout` each.

        Raises RedisConnectionError after the last one, unless abortConnect=false, which leaves the rest to
        keep_connected().
        """
        for attempts_left in reversed(range(max(1, self._configuration.connect_retry))):
            try:
                await self._ping()
            except RedisConnectionError:
                if attempts_left:
                    continue
                if self._configuration.abort_on_connect_fail:
                    raise
                _log.warning("%s Trying on in the background, because of abortConnect=false.", UNREACHABLE)
            else:
                return

    async def keep_connected(self) -> None:
        """Reconnect whenever the connection is gone, for ever, with the library's growing, random delays."""
        failures = 0
        while True:
            await asyncio.sleep(HEARTBEAT if self._connected else reconnect_delay(self._configuration, failures))
            try:
                await self._ping()
            except RedisConnectionError as error:
                failures += 1
                _log.warning("%s", error)
            else:
                failures = 0

    async def run(self, command: Callable[[Redis], Awaitable[Result]]) -> Result:
        """Run one command on the first end point that answers.

        A command waits for a lost connection as in the library's backlog, for `command_timeout`. Then it raises
        RedisConnectionError. What Redis itself answers is raised as it is (redis.exceptions.ResponseError).
        """
        deadline = asyncio.get_running_loop().time() + self._configuration.command_timeout
        while True:
            reasons = []
            for client in self._clients:
                try:
                    return await command(client)
                except (RedisConnectionLostError, RedisTimeoutError, OSError, UnicodeError) as error:
                    reasons.append(_reason(error))
            if asyncio.get_running_loop().time() >= deadline:
                # Without a cause: redis-py's message would show the host, and with it what a URL has in its place.
                raise RedisConnectionError(
                    "The message timed out in the backlog attempting to send because no connection became available "
                    f"({self._configuration.command_timeout * 1000:.0f}ms) - Last Connection Exception: "
                    f"UnableToConnect: {'; '.join(reasons)}."
                ) from None
            await asyncio.sleep(BACKLOG_INTERVAL)

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients:
            await client.connection_pool.disconnect()

    async def _ping(self) -> None:
        reasons = await asyncio.gather(*(self._ping_one(client) for client in self._clients))
        if None not in reasons:
            self._connected = False
            refused = AUTHENTICATION in reasons
            raise RedisConnectionError(f"{UNREACHABLE} {AUTHENTICATION if refused else CONNECTING}")
        if not self._connected:
            _log.info("Connected to Redis.")
        self._connected = True

    async def _ping_one(self, client: Redis) -> str | None:
        """Return None for an answer, else what went wrong."""
        try:
            await asyncio.wait_for(client.ping(), self._configuration.connect_timeout)
        except (RedisError, OSError, UnicodeError) as error:
            # A connection whose answer was not awaited would hand that answer to the next command.
            await client.connection_pool.disconnect()
            return _reason(error)
        return None


def reconnect_delay(configuration: RedisConfiguration, failures: int) -> float:
    """Return seconds to wait: ExponentialRetry(connectTimeout / 2), never less than a heartbeat."""
    shortest = configuration.connect_timeout / 2
    longest = min(LONGEST_RECONNECT_DELAY, shortest * 1.1 ** min(failures, 100))
    return max(HEARTBEAT, random.uniform(shortest, max(shortest, longest)))  # noqa: S311 - spreads load, no secret


def _client(configuration: RedisConfiguration, endpoint: Endpoint) -> Redis:
    encryption = {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True} if configuration.ssl else {}
    # The library sends AUTH without looking at a complaint that no password is needed. Naming the default user has
    # the same effect: without `requirepass`, Redis accepts any password for it.
    user = configuration.user or ("default" if configuration.password else None)
    return Redis(
        host=endpoint.host,
        port=endpoint.port,
        db=configuration.database or 0,
        username=user,
        password=configuration.password,
        decode_responses=True,
        encoding_errors="replace",
        client_name=configuration.client_name or f"{socket.gethostname()}(stand-in)",
        socket_connect_timeout=configuration.connect_timeout,
        socket_timeout=configuration.command_timeout,
        # The attempts are counted here; newer redis-py would retry inside each of them.
        retry=Retry(NoBackoff(), 0),
        **encryption,
    )


def _reason(error: BaseException) -> str:
    """Say what went wrong without the host: redis-py repeats it unmasked in its messages."""
    if isinstance(error, AuthenticationError) or str(error).startswith(("NOAUTH", "WRONGPASS")):
        return AUTHENTICATION
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, OSError):
            return cause.strerror or str(cause) or "timeout"
    if isinstance(error, UnicodeError):
        return "not a host name"
    return str(error).rstrip(".") if isinstance(error, ResponseError) else type(error).__name__
