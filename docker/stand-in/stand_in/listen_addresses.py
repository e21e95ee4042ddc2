# SPDX-License-Identifier: GPL-3.0-or-later
"""ASPNETCORE_URLS: where the Dispatcher listens, in ASP.NET Core's notation."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass


class ListenAddressError(ValueError):
    """A URL that cannot be listened on; the message names it and what is allowed."""


@dataclass(frozen=True)
class ListenAddress:
    """A host and a port; an empty host means every address of the machine."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the address as a URL."""
        return f"http://{'+' if not self.host else f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def open_sockets(self) -> list[socket.socket]:
        """Bind and listen. Raises OSError where the port is taken or the address is not of this machine."""
        if self.host == "localhost":
            return [socket.create_server(("127.0.0.1", self.port))]
        if self.host:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            return [socket.create_server((self.host, self.port), family=family)]
        if socket.has_dualstack_ipv6():
            return [socket.create_server(("", self.port), family=socket.AF_INET6, dualstack_ipv6=True)]
        return [socket.create_server(("", self.port))]


def parse_listen_addresses(urls: str) -> list[ListenAddress]:
    """Read URLs separated by semicolons. `+`, `*` and any name but localhost mean every address.

    Raises ListenAddressError.
    """
    return [_parse_one(url.strip()) for url in urls.split(";") if url.strip()]


def _parse_one(url: str) -> ListenAddress:
    match = re.fullmatch(r"http://(\[[^\]]+\]|[^:/\[\]]+)(?::([0-9]{1,5}))?/?", url, re.IGNORECASE)
    port = int(match[2] or 80) if match else 65536
    if port > 65535:
        raise ListenAddressError(f"ASPNETCORE_URLS: '{url}' is not http://host:port; the stand-in has no https.")
    host = match[1].strip("[]").lower()
    if host == "localhost":
        return ListenAddress(host, port)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ListenAddress("", port)
    return ListenAddress("" if address.is_unspecified and address.version == 6 else str(address), port)
