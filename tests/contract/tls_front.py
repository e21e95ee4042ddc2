# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS address in front of the local services that a build under test calls by their public names."""

from __future__ import annotations

import asyncio
import errno
import random
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

from certificate_authority import issue
from cryptography import x509

PORT = 443
ATTEMPTS = 20


class TlsFrontError(Exception):
    """The address cannot be had; the message says what is needed."""


class TlsFront:
    """Ends TLS on port 443 of an address of this machine's loopback, and passes on what it reads, until close().

    The name that a client asks for in the handshake says which service it means.
    """

    def __init__(self, directory: Path, services: Mapping[str, int]) -> None:
        """`services` are ports of 127.0.0.1 by name; `directory` gets the authority that clients have to trust."""
        authority = issue("contract-tests-ca", now=datetime.now(UTC))
        self.certificate_authority = directory / "ca.pem"
        self.certificate_authority.write_text(authority.pem)
        self._ports: dict[ssl.SSLContext, int] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        for name, port in services.items():
            issued = issue(name, authority, (x509.DNSName(name),), datetime.now(UTC))
            chain = directory / f"{name}.pem"
            chain.write_text(issued.pem + issued.key_pem())
            self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._contexts[name].load_cert_chain(chain)
            self._ports[self._contexts[name]] = port
        self._listening: Future[str] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        self.address = self._listening.result()

    @property
    def hosts(self) -> dict[str, str]:
        """Its address, by each of the names."""
        return dict.fromkeys(self._contexts, self.address)

    def close(self) -> None:
        """Stop listening, and end every connection."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server, address = await self._listen()
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that waits
            self._listening.set_exception(error)
            return
        self._listening.set_result(address)
        await self._stop.wait()
        server.close()

    async def _listen(self) -> tuple[asyncio.Server, str]:
        # A client that names no host gets no certificate, nor does one that names another host.
        outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        outer.sni_callback = self._choose
        for _ in range(ATTEMPTS):
            address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"  # noqa: S311
            try:
                return await asyncio.start_server(self._pass_on, address, PORT, ssl=outer), address
            except PermissionError:
                raise TlsFrontError(f"Nobody but root may listen on port {PORT} here: run the tests as root.") from None
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise TlsFrontError(f"Port {PORT} of the loopback addresses is taken: something listens on every address.")

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._contexts[name]
        return None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._ports[writer.get_extra_info("ssl_object").context]
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        """One side has gone: so does the other."""
    finally:
        writer.close()
