# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as .NET 8's `Uri` takes them apart: the app builds every repository and every request from its parts."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

LONGEST = 65519
"""Characters that `Uri` takes."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_AUTHORITY_SCHEMES = ("http", "https", "ftp", "ssh", "git", "git+https", "git+http", "git+ssh", "file")
# A name of the Internet, one with other letters, and a Windows name, which `Uri` takes for every scheme.
_HOSTS = (
    re.compile(r"[A-Za-z0-9][\w-]{0,62}(?:\.[A-Za-z0-9][\w-]{0,62})*\.?", re.ASCII),
    re.compile("(?:[A-Za-z0-9\xa0-\U0010ffff][-\\w\xa0-\U0010ffff]{0,62}(?:[.\u3002\uff0e\uff61]|\\Z))+", re.ASCII),
    re.compile(r"(?![0-9]+(?:\.|\Z))[\w-]+(?:\.[^\W_][\w-]*)*\.?"),
)
_LONGEST_HOST = 255
_PORT = re.compile(r":([0-9]*)")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ssh": 22}
_KEPT = "/%:@!$&'()*+,;=~-._"
_ESCAPED_PLAIN = re.compile(r"%([46][1-9A-Fa-f]|[57][0-9Aa]|2[DdEe]|3[0-9]|5[Ff]|7[Ee])")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class NoUri(ValueError):
    """The exception's text, as the app shows it."""


@dataclass(frozen=True, slots=True)
class Uri:
    """The parts that the app uses. `path` is AbsolutePath: escaped, without dot segments; the host is in lower case."""

    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str
    query: str
    fragment: str = ""

    def __str__(self) -> str:
        """AbsoluteUri."""
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        slashes = "//" if self.path.startswith("/") else ""
        return f"{self.scheme}:{slashes}{user}{self.host}{port}{self.path}{self.query}{self.fragment}"

    @property
    def parts(self) -> list[str]:
        """The path, trimmed and split as the app does it: parts in the middle may be empty."""
        return self.path.strip("/").split("/")

    @property
    def has_password(self) -> bool:
        """Whether a password stands before the host."""
        return self.user is not None and ":" in self.user


def parse(text: str) -> Uri:
    """Take an absolute address apart; NoUri says what .NET has against it."""
    text = text.strip(" \t\r\n")
    if not text:
        raise NoUri("Invalid URI: The URI is empty.")
    if len(text) > LONGEST:
        raise NoUri("Invalid URI: The Uri string is too long.")
    if text.startswith("/"):
        # On Linux a path is the address of a file, and two slashes are a share.
        text = "file:" + (text if text.startswith("//") else f"//{text}")
    before, colon, rest = text.partition(":")
    if not colon or "/" in before:
        raise NoUri("Invalid URI: The format of the URI could not be determined.")
    if not _SCHEME.fullmatch(before):
        raise NoUri("Invalid URI: The URI scheme is not valid.")
    scheme = before.lower()
    if scheme in ("http", "https"):
        rest = rest.replace("\\", "/") if rest.startswith("//") else rest
    rest, number_sign, fragment = rest.partition("#")
    rest, mark, query = rest.partition("?")
    if scheme == "mailto":
        mailbox, _at, host = rest.rpartition("@")
        return Uri(scheme, mailbox, host, None, "", mark + query, number_sign + fragment)
    if scheme not in _AUTHORITY_SCHEMES and not rest.startswith("//"):
        return Uri(scheme, None, "", None, _escape(rest), mark + query, number_sign + fragment)
    if not rest.startswith("//"):
        raise NoUri("Invalid URI: The Authority/Host could not be parsed.")
    authority, slash, path = rest[2:].partition("/")
    user, host, port = _authority(scheme, authority)
    return Uri(scheme, user, host, port, _compressed(_escape(slash + path)), mark + query, number_sign + fragment)


def _authority(scheme: str, authority: str) -> tuple[str | None, str, int | None]:
    user: str | None = None
    if "@" in authority:
        user, _at, authority = authority.rpartition("@")
    if authority.startswith("["):
        inside, bracket, after = authority[1:].partition("]")
        try:
            host = f"[{ipaddress.IPv6Address(inside.partition('%')[0])}]"
        except ValueError:
            bracket = ""
        if not bracket:
            raise NoUri("Invalid URI: The hostname could not be parsed.")
    else:
        host, colon, port_text = authority.partition(":")
        after = colon + port_text
        if host or scheme != "file":
            valid = len(host) <= _LONGEST_HOST and any(pattern.fullmatch(host) for pattern in _HOSTS)
        else:
            valid = True
        if not valid:
            raise NoUri("Invalid URI: The hostname could not be parsed.")
    port = None
    if after:
        match = _PORT.fullmatch(after)
        if match is None or (match[1] and int(match[1][:9]) > 65535):
            raise NoUri("Invalid URI: Invalid port specified.")
        port = int(match[1]) if match[1] else None
    return user, host.lower(), None if port == _DEFAULT_PORTS.get(scheme) else port


def _escape(path: str) -> str:
    path = _ESCAPED_PLAIN.sub(lambda match: chr(int(match[1], 16)), path)
    return quote(_BAD_PERCENT.sub("%25", path), safe=_KEPT)


def _compressed(path: str) -> str:
    """Without `.` and `..`; empty segments stay."""
    segments: list[str] = []
    pieces = path.split("/")[1:] if path else [""]
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        if piece == "..":
            if segments:
                segments.pop()
        elif piece != ".":
            segments.append(piece)
            continue
        if last:
            segments.append("")
    return "/" + "/".join(segments)


def escape_data(text: str) -> str:
    """`Uri.EscapeDataString`."""
    return quote(text, safe="-._~")
