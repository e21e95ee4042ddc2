# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening, and stopping without cutting a request: what ASP.NET Core's host does on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

from aiohttp import web

from stand_in.listen_addresses import ListenAddress, ListenAddressError, listening_url

_log = logging.getLogger("Microsoft.Hosting.Lifetime")


class HttpServer:
    """Serves an application on a list of addresses until stop().

    aiohttp's own sites are not used: in 3.8 their stop() cancels a request whose body is still arriving.
    """

    def __init__(self, application: Callable[..., web.Application]) -> None:
        """`application` makes it, from the middleware that has to run outermost."""
        self._in_flight = 0
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._runner = web.AppRunner(application(self._count_middleware()), access_log=None)
        self._listeners: list[asyncio.AbstractServer] = []

    async def start(self, addresses: list[ListenAddress], tls: ssl.SSLContext | None = None) -> None:
        """Listen, with `tls` on the addresses that want it. Raises ListenAddressError if one cannot be bound."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        for address in addresses:
            try:
                listening_sockets = address.open_sockets()
            except OSError as error:
                raise ListenAddressError(f"Failed to bind to {address}: {error.strerror}") from error
            for listening_socket in listening_sockets:
                self._listeners.append(
                    await loop.create_server(
                        self._runner.server, sock=listening_socket, ssl=tls if address.tls else None
                    )
                )
                host, port = listening_socket.getsockname()[:2]
                _log.info("Now listening on: %s", listening_url(address.scheme, host, port))

    async def stop(self, grace: float) -> None:
        """Refuse new connections, let running requests finish for at most `grace` seconds, close the rest."""
        self._stopping = True
        for listener in self._listeners:
            listener.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        # Only idle connections are left; aiohttp takes 0 for no limit.
        await self._runner.server.shutdown(0.1)
        await self._runner.cleanup()

    def _count_middleware(self) -> object:
        @web.middleware
        async def count(request: web.Request, handler: object) -> web.StreamResponse:
            self._in_flight += 1
            self._idle.clear()
            try:
                response = await handler(request)
                if self._stopping:
                    response.force_close()
                # Only a response that has left counts as answered, or one that nobody waits for any more.
                with contextlib.suppress(ConnectionResetError):
                    await response.prepare(request)
                    await response.write_eof()
                return response
            finally:
                self._in_flight -= 1
                if not self._in_flight:
                    self._idle.set()

        return count
