# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of Redis in the form that the app reads: a configuration string of StackExchange.Redis 2.8.16.

The app hands its REDIS_URL to that library, which knows no URLs: it takes `redis://redis:6379` for a host of that name,
and the Dispatcher crashes at its start (https://github.com/StackExchange/StackExchange.Redis/issues/1590). A string is
items separated by commas, `name=value` is an option and anything else an end point
(https://stackexchange.github.io/StackExchange.Redis/Configuration).

What a value may be is what the library parses (ConfigurationOptions.cs and Format.cs of 2.8), and what of that does not
throw as soon as it is used. The end points that it cannot reach it prints, and the app hands that on to Slack.

No reason given here quotes any part of a value: even the name of an option may be the rest of a password with a comma.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from urllib.parse import unquote

EXAMPLE = "redis:6379,abortConnect=false"

_BOOLEANS = ("abortConnect", "allowAdmin", "checkCertificateRevocation", "highIntegrity", "resolveDns", "setlib", "ssl")
_INT32 = range(-(2**31), 2**31)
# And the smallest that works. None or less of the others means a default, or never.
_NUMBERS = {
    "asyncTimeout": 1,
    "configCheckSeconds": _INT32.start,
    "connectRetry": _INT32.start,
    "connectTimeout": 1,
    "defaultDatabase": 0,
    "keepAlive": _INT32.start,
    "syncTimeout": 1,
}
_TEXTS = ("channelPrefix", "configChannel", "name", "password", "serviceName", "sslHost", "tiebreaker", "user")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")
_TUNNEL = re.compile(r"(http:(//)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?/?)?", re.IGNORECASE)
# An enumeration is named in any case, or written as its number.
_SSL_PROTOCOLS = {
    "None": 0,
    "Ssl2": 12,
    "Ssl3": 48,
    "Tls": 192,
    "Default": 240,
    "Tls11": 768,
    "Tls12": 3072,
    "Tls13": 12288,
}
_PROXIES = {"None": 0, "Twemproxy": 1, "Envoyproxy": 2}
_PROTOCOLS = {"resp2": 2, "resp3": 3}
# And what is allowed, in words
_FORMS: dict[str, tuple[Callable[[str], bool], str]] = {
    "protocol": (lambda text: _is_one_of(text, _PROTOCOLS), f"{', '.join(_PROTOCOLS)}, 2 or 3"),
    "proxy": (lambda text: _is_one_of(text, _PROXIES), ", ".join(_PROXIES)),
    "sslProtocols": (
        lambda text: _is_combination_of(text, _SSL_PROTOCOLS),
        f"{', '.join(_SSL_PROTOCOLS)}, joined by |",
    ),
    "tunnel": (lambda text: _TUNNEL.fullmatch(text) is not None, "http:host:port"),
    "version": (
        lambda text: _VERSION.fullmatch(text) is not None,
        "one to four numbers with dots between them, as in 7.2",
    ),
}
# Read and ignored by the library
_RETIRED = ("highPriorityThreads", "preserveAsyncOrder", "responseTimeout", "writeBuffer")
_OPTIONS = {name.lower(): name for name in (*_BOOLEANS, *_NUMBERS, *_TEXTS, *_FORMS, *_RETIRED)}
_BOOLEAN_VALUES = ("true", "false", "1", "0", "yes", "no", "on", "off")

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_ENDPOINT = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


class RedisConfigurationError(ValueError):
    """A value that is no usable address. The message is a reason that follows the name of the value."""


def configuration_of(value: str) -> str:
    """Return the configuration string that `value` means: itself, or what a redis:// or rediss:// URL converts to.

    Raises RedisConfigurationError.
    """
    _check_characters(value)
    url = _SCHEME.match(value)
    if url is None:
        check_configuration(value)
        return value
    return _converted(url[1].lower(), url[2])


def check_configuration(value: str) -> None:
    """Raise RedisConfigurationError for what the library, or the app with it, would not take as it was meant.

    It trims items, names and values as the library does; a text that is a value may have blanks in it.
    """
    if url := _SCHEME.match(value.strip()):
        printed = " and whose password it prints in Slack and in its log" if "@" in url[2] else ""
        raise RedisConfigurationError(
            f"is a URL, which the app cannot read{printed}. Write host:port,option=… ({EXAMPLE})"
        )
    options: list[str] = []
    endpoints = 0
    for position, item in enumerate(value.split(","), start=1):
        name, separator, setting = _parts_of(item)
        item = item.strip()
        if separator and name:
            options.append(_check_option(position, name, setting, "password" in options))
        elif "password" in options:
            raise _rest_of_password(position)
        elif not item:
            continue
        elif item.partition(":")[0].lower() in ("user", "password"):
            raise RedisConfigurationError(f"has an option with a colon, item {position}: write an equals sign")
        elif options:
            raise RedisConfigurationError(f"has no option as its item {position}: end points come first ({EXAMPLE})")
        else:
            # What the app would print of it: a password
            printed = "; the app prints the text before an @ in Slack and in its log" if "@" in item else ""
            _check_endpoint(item, f"has no end point host:port as its item {position}{printed}")
            endpoints += 1
    if not endpoints:
        raise RedisConfigurationError(f"names no end point: begin with host:port ({EXAMPLE})")


def credentials_of(configuration: str) -> tuple[str, str]:
    """Return user and password of a configuration string, empty texts where it names none."""
    options = _options_of(configuration)
    return options.get("user", ""), options.get("password", "")


def endpoints_of(configuration: str) -> list[tuple[str, int]]:
    """Return hosts and ports of a configuration string that check_configuration() has taken, with the usual port."""
    options = _options_of(configuration)
    usual = 26379 if "servicename" in options else 6380 if _uses_tls(options) else 6379
    items = [item.strip() for item in configuration.split(",") if item.strip() and "=" not in item]
    return [(host.strip("[]"), int(port or usual)) for host, port in filter(None, map(_endpoint, items))]


def takes_plain_commands(configuration: str) -> bool:
    """Tell whether Redis itself answers at the end points, without TLS: not a sentinel, which names others."""
    options = _options_of(configuration)
    return "servicename" not in options and not _uses_tls(options)


def _options_of(configuration: str) -> dict[str, str]:
    parts = map(_parts_of, configuration.split(","))
    return {name.lower(): setting for name, separator, setting in parts if separator}


def _uses_tls(options: Mapping[str, str]) -> bool:
    return options.get("ssl", "").lower() in ("true", "1", "yes", "on")


def _parts_of(item: str) -> tuple[str, str, str]:
    """Return name, equals sign and value of an item, without the white space that the library ignores."""
    name, separator, setting = item.partition("=")
    return name.strip(), separator, setting.strip()


def _check_characters(value: str) -> None:
    if any(character.isspace() or not character.isprintable() for character in value):
        raise RedisConfigurationError("has white space or a line end in it")


def _check_option(position: int, name: str, setting: str, after_password: bool) -> str:
    """Return the name of an option in lower case. `$command=` renames a command of Redis."""
    if name.startswith("$"):
        return name.lower()
    known = _OPTIONS.get(name.lower())
    if known is None and after_password:
        raise _rest_of_password(position)
    if known is None:
        raise RedisConfigurationError(
            f"has an unknown option, item {position}; the library knows {', '.join(_OPTIONS.values())}"
        )
    if known in _TEXTS and not setting.isprintable():
        raise RedisConfigurationError(f"has a value for {known} with a line end or another control character in it")
    if known in _BOOLEANS and setting.lower() not in _BOOLEAN_VALUES:
        raise RedisConfigurationError(f"has a value for {known} that is neither true nor false")
    if known in _NUMBERS:
        _check_number(known, setting)
    if known in _FORMS:
        fits, allowed = _FORMS[known]
        if not fits(setting):
            raise RedisConfigurationError(f"has a value for {known} that the app cannot work with; it takes {allowed}")
    return known.lower()


def _check_number(name: str, setting: str) -> None:
    smallest = _NUMBERS[name]
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", setting) or int(setting) not in _INT32:
        raise RedisConfigurationError(f"has a value for {name} that is not a 32-bit whole number")
    if int(setting) < smallest:
        raise RedisConfigurationError(
            f"has a value for {name} that the app cannot work with; it takes {smallest} or more"
        )


def _is_one_of(text: str, names: Mapping[str, int]) -> bool:
    if re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return int(text) in names.values()
    return text.lower() in map(str.lower, names)


def _is_combination_of(text: str, names: Mapping[str, int]) -> bool:
    if re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return int(text) >= 0 and not int(text) & ~reduce(or_, names.values())
    return all(name.strip().lower() in map(str.lower, names) for name in text.split("|"))


def _rest_of_password(position: int) -> RedisConfigurationError:
    return RedisConfigurationError(
        f"has text after the password, item {position}, that is not an option: a password cannot hold a comma, because "
        "the library reads the text after the comma as another item. Choose a password without a comma"
    )


def _check_endpoint(text: str, complaint: str) -> str | None:
    """Return the port of an end point as it is written, None where there is none."""
    endpoint = _endpoint(text)
    if endpoint is None or (endpoint[1] and not 1 <= int(endpoint[1]) <= 65535):
        raise RedisConfigurationError(f"{complaint}: a host name or address and a port from 1 to 65535 ({EXAMPLE})")
    return endpoint[1]


def _endpoint(text: str) -> tuple[str, str | None] | None:
    """Return host and port of an end point, None for what is none. The library takes an address of IPv6 as it is, too.

    What has several colons and no brackets has no port.
    """
    match = _ENDPOINT.fullmatch(text)
    if match:
        return match[1], match[2]
    try:
        return (text, None) if ipaddress.ip_address(text).version == 6 and "%" not in text else None
    except ValueError:
        return None


def _converted(scheme: str, rest: str) -> str:
    if scheme not in ("redis", "rediss"):
        raise RedisConfigurationError("is a URL that begins neither with redis:// nor with rediss://")
    if "#" in rest or "?" in rest:
        raise RedisConfigurationError(
            "is a URL with a query (?) or fragment (#), which cannot be converted. Write the options as "
            "host:port,option=…, and ? or # in a password as %3F or %23"
        )
    authority, slash, path = rest.partition("/")
    if path:
        raise RedisConfigurationError(
            "is a URL with a database path, which cannot be converted. Write the database as "
            "host:port,defaultDatabase=…, and a / in a password as %2F"
        )
    credentials, _at, address = authority.rpartition("@")
    if "," in address:
        raise RedisConfigurationError("is a URL with several hosts; write them as host:port,host:port,option=…")
    if _check_endpoint(address, "is a URL without an end point host:port") is None:
        raise RedisConfigurationError(f"is a URL without a port: add it, as in {scheme}://host:6379")
    user, _colon, password = credentials.partition(":")
    options = [f"{name}={text}" for name, text in (("user", _decoded(user)), ("password", _decoded(password))) if text]
    if scheme == "rediss":
        options.append("ssl=true")
    return ",".join([address, *options, "abortConnect=false"])


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise RedisConfigurationError("is a URL with a % that does not begin a percent-encoding: write it as %25")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise RedisConfigurationError("is a URL with a percent-encoding that is not UTF-8") from None
    if "," in decoded:
        raise RedisConfigurationError(
            "is a URL with a comma in its user or password, encoded or not: the library would read the text after the "
            "comma as another item. Choose a password without a comma"
        )
    _check_characters(decoded)
    return decoded
