# SPDX-License-Identifier: GPL-3.0-or-later
"""REDIS_URL by the rules of StackExchange.Redis 2.8.16, the library that the Dispatcher hands it to.

It is a configuration string and not a URL: items separated by commas, `name=value` is an option, anything else an
end point. See https://stackexchange.github.io/StackExchange.Redis/Configuration and, for the missing URI parser,
https://github.com/StackExchange/StackExchange.Redis/issues/1590.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from stand_in.redis_option_values import is_protocol, is_ssl_protocols, is_version

DEFAULT_PORT = 6379
DEFAULT_TLS_PORT = 6380
MASK = "***"

_BOOLEAN = ("abortConnect", "allowAdmin", "checkCertificateRevocation", "highIntegrity", "resolveDns", "setlib", "ssl")
_INTEGER = (
    "asyncTimeout",
    "configCheckSeconds",
    "connectRetry",
    "connectTimeout",
    "defaultDatabase",
    "keepAlive",
    "syncTimeout",
)
# In milliseconds. What the parser takes for connectTimeout, the first connection does not.
_MINIMUM = {"asyncTimeout": 1, "connectTimeout": 0, "syncTimeout": 1}
_TEXT = (
    "channelPrefix",
    "configChannel",
    "name",
    "password",
    "protocol",
    "sslProtocols",
    "tiebreaker",
    "user",
    "version",
)
# The library still accepts these with any value and ignores them.
_RETIRED = ("highPriorityThreads", "preserveAsyncOrder", "responseTimeout", "writeBuffer")
# They change where the library connects to; ignoring them would make the stand-in lie about the result.
_NOT_STOOD_IN_FOR = ("proxy", "serviceName", "sslHost", "tunnel")
_KEYWORDS = {name.lower(): name for name in _BOOLEAN + _INTEGER + _TEXT + _RETIRED + _NOT_STOOD_IN_FOR}

_VALUES = {"protocol": is_protocol, "sslProtocols": is_ssl_protocols, "version": is_version}
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


class RedisConfigurationError(ValueError):
    """The string is refused at startup, as the library's ArgumentException does. The message holds no password."""


@dataclass(frozen=True)
class Endpoint:
    """One server."""

    host: str
    port: int


@dataclass(frozen=True)
class RedisConfiguration:
    """What the Dispatcher knows about its Redis. Times are in seconds, `database` is the index or None."""

    endpoints: tuple[Endpoint, ...]
    abort_on_connect_fail: bool = True
    connect_retry: int = 3
    connect_timeout: float = 5.0
    command_timeout: float = 5.0
    database: int | None = None
    client_name: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ssl: bool = False


def parse_redis_configuration(text: str) -> RedisConfiguration:
    """Read a configuration string.

    Raises RedisConfigurationError for an empty string, an unknown keyword, a value of the wrong kind and a string
    without any end point. An end point with a port that is no number is dropped without a word, as the library does.
    """
    if not text.strip():
        raise RedisConfigurationError("REDIS_URL is empty. Allowed: host[:port][,option=value…], as in redis:6379.")
    options: dict[str, str] = {}
    endpoint_items: list[str] = []
    for item in (padded.strip() for padded in text.split(",")):
        # A comma ends a password, so whatever follows one may be the rest of it and must not be shown.
        hide = "password" in options
        if item.find("=") > 0:
            name, _, value = item.partition("=")
            _add_option(options, name.strip(), value.strip(), hide)
        elif item:
            endpoint_items.append(item)
    ssl = _boolean(options, "ssl", False)
    endpoints = _endpoints(endpoint_items, DEFAULT_TLS_PORT if ssl else DEFAULT_PORT)
    if not endpoints:
        raise RedisConfigurationError("No endpoints specified. REDIS_URL needs a host[:port], as in redis:6379.")
    return RedisConfiguration(
        endpoints=endpoints,
        abort_on_connect_fail=_boolean(options, "abortConnect", True),
        connect_retry=_integer(options, "connectRetry", 3),
        connect_timeout=_integer(options, "connectTimeout", 5000) / 1000,
        command_timeout=_integer(options, "asyncTimeout", _integer(options, "syncTimeout", 5000)) / 1000,
        database=_integer(options, "defaultDatabase", None),
        client_name=options.get("name") or None,
        user=options.get("user") or None,
        password=options.get("password") or None,
        ssl=ssl,
    )


def _add_option(options: dict[str, str], written: str, value: str, hide: bool) -> None:
    if written.startswith("$"):
        return  # renames a Redis command; no command of the Dispatcher is ever renamed
    name = _KEYWORDS.get(written.lower())
    if name is None:
        shown = MASK if hide else _keyword_without_credentials(written)
        allowed = ", ".join(sorted(_KEYWORDS.values(), key=str.lower))
        raise RedisConfigurationError(f"Keyword '{shown}' is not supported. REDIS_URL allows: {allowed}.")
    if name in _NOT_STOOD_IN_FOR:
        raise RedisConfigurationError(f"Keyword '{name}' in REDIS_URL: the stand-in does not do this, the app would.")
    options[name] = value
    if name in _BOOLEAN:
        _boolean(options, name, None)
    if name in _INTEGER:
        _integer(options, name, None)
    if name in _VALUES and not _VALUES[name](value):
        raise RedisConfigurationError(f"Keyword '{name}' in REDIS_URL has a value that is not supported.")


def _boolean(options: dict[str, str], name: str, default: bool | None) -> bool:
    if name not in options:
        return default
    value = options[name].lower()
    if value not in _TRUE + _FALSE:
        raise RedisConfigurationError(
            f"Keyword '{name}' in REDIS_URL requires a boolean value: {', '.join(_TRUE + _FALSE)}."
        )
    return value in _TRUE


def _integer(options: dict[str, str], name: str, default: int | None) -> int | None:
    if name not in options:
        return default
    value = options[name]
    number = int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else None
    if number is None or not -(2**31) <= number < 2**31:
        raise RedisConfigurationError(f"Keyword '{name}' in REDIS_URL requires an integer value (32 bits).")
    if name in _MINIMUM and number < _MINIMUM[name]:
        raise RedisConfigurationError(f"Keyword '{name}' in REDIS_URL has a minimum value of '{_MINIMUM[name]}'.")
    return number


def _endpoints(items: list[str], default_port: int) -> tuple[Endpoint, ...]:
    endpoints: dict[tuple[str, int], Endpoint] = {}
    for text in items:
        if text.startswith("!"):
            raise RedisConfigurationError("A Unix socket in REDIS_URL: the stand-in does not do this, the app would.")
        host, port = _split_host_and_port(text)
        if port is None:
            continue
        if not host or not 0 <= port <= 65535:
            raise RedisConfigurationError("An end point in REDIS_URL needs a host and a port of 0 to 65535.")
        # Port 0 means "not given" to the library.
        endpoints.setdefault((host, port), Endpoint(host, port or default_port))
    return tuple(endpoints.values())


def _split_host_and_port(text: str) -> tuple[str, int | None]:
    """Split as the library does: (host, 0) without a port, (host, None) where the port is no number.

    More than one colon without brackets is taken for an IPv6 address without a port, which makes
    `redis://redis:6379` a host of exactly that name.
    """
    host, port = text, "0"
    if text.rfind(":") > 0:
        closing = text.rfind("]")
        if closing > 0:
            host = text[1:closing]
            if closing < text.rfind(":"):
                port = text[text.rfind(":") + 1 :]
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
    return host, int(port) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", port) else None


def _keyword_without_credentials(text: str) -> str:
    """Mask all but a plain word: `redis://:pass=word@host` splits at its first `=`, in the midst of the password."""
    scheme, separator, _rest = text.partition("://")
    return text if re.fullmatch(r"\w+", text) else scheme + separator + MASK if separator else MASK
