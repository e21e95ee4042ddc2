# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a program of the stand-in listens, in the notation of ASP.NET Core's ASPNETCORE_URLS."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass


class ListenAddressError(ValueError):
    """A URL that cannot be listened on; the message names it and what is allowed."""


@dataclass(frozen=True)
class ListenAddress:
    """A host and a port, with TLS or without it; an empty host means every address of the machine."""

    host: str
    port: int
    tls: bool = False

    @property
    def scheme(self) -> str:
        """The scheme of its URL."""
        return "https" if self.tls else "http"

    def __str__(self) -> str:
        """Return the address as a URL."""
        return listening_url(self.scheme, self.host or "+", self.port)

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


def listening_url(scheme: str, host: str, port: int) -> str:
    """Return the URL of a host, which may be an IPv6 address, and a port."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def parse_listen_addresses(
    urls: str, variable: str = "ASPNETCORE_URLS", *, with_tls: bool = False
) -> list[ListenAddress]:
    """Read URLs separated by semicolons, https among them if `with_tls`; messages name the environment `variable`.

    `+`, `*` and any name but localhost mean every address. Raises ListenAddressError.
    """
    return [_parse_one(url.strip(), variable, with_tls) for url in urls.split(";") if url.strip()]


def _parse_one(url: str, variable: str, with_tls: bool) -> ListenAddress:
    match = re.fullmatch(r"(https?)://(\[[^\]]+\]|[^:/\[\]]+)(?::([0-9]{1,5}))?/?", url, re.IGNORECASE)
    tls = bool(match) and match[1].lower() == "https"
    port = int(match[3] or (443 if tls else 80)) if match else 65536
    if port > 65535 or (tls and not with_tls):
        allowed = (
            "http://host:port or https://host:port" if with_tls else "http://host:port; the stand-in has no https here"
        )
        raise ListenAddressError(f"{variable}: '{url}' is not {allowed}.")
    host = match[2].strip("[]").lower()
    if host == "localhost":
        return ListenAddress(host, port, tls)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ListenAddress("", port, tls)
    return ListenAddress("" if address.is_unspecified and address.version == 6 else str(address), port, tls)
