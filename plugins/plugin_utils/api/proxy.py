# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy a request goes through, by the rules of Go that kubectl follows (golang.org/x/net/http/httpproxy)."""

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from ..objects.errors import ConnectionFailed

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True)
class Proxy:
    """A proxy. ``source`` says where it is named. ``shown`` is its URL without user and password, for messages."""

    scheme: str
    host: str
    port: int
    source: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Its address, without user and password, and where it is named."""
        return f"{self.url} (from {self.source})"

    @property
    def url(self) -> str:
        """Its address, without user and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, source: str, scheme: str = "") -> Self:
        """Read the URL of a proxy.

        :param scheme: what it means without a scheme.
        :raises ConnectionFailed: when it is no URL of a proxy.
        """
        try:
            parts = urlsplit(text if "://" in text or not scheme else f"{scheme}://{text}")
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            parts, port = SplitResult("", "", "", "", ""), 0
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConnectionFailed(
                f"{source} names no proxy. Allowed: http://, https:// or socks5:// with a host, a port, and user and "
                "password if it asks for them."
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.scheme, parts.hostname, port, source, user, password)


def environment_proxy(server: str) -> Proxy | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for a server; None for none."""
    parts = urlsplit(server)
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    upper = f"{parts.scheme.upper()}_PROXY"
    name = next((name for name in (upper, upper.lower()) if os.environ.get(name)), "")
    if not name or _is_loopback(host):
        return None
    if is_excepted(host, port, os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""):
        return None
    return Proxy.parse(os.environ[name], f"the environment variable {name}", "http")


def is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Tell whether NO_PROXY has an entry for a host: a name, `.domain`, an address, a network, or `*`; with a port."""
    return any(_meets(entry, host, port) for entry in (part.strip().lower() for part in exceptions.split(",")) if entry)


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or bool(address and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _meets(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    try:
        network = ipaddress.ip_network(entry, strict=False) if "/" in entry else None
    except ValueError:
        network = None
    if network:
        return address is not None and address in network
    name, wanted = entry, ""
    if entry.startswith("["):
        name, _bracket, rest = entry[1:].partition("]")
        wanted = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _colon, wanted = entry.partition(":")
    if wanted and wanted != str(port):
        return False
    if excepted := _address(name):
        return excepted == address
    name = name.removeprefix("*") if name.startswith("*.") else name
    if not name.strip("."):
        return False
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")
