# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values of REDIS_URL's options are names and versions to StackExchange.Redis. Any other one ends the app."""

from __future__ import annotations

import re

_SSL_PROTOCOLS = ("none", "ssl2", "ssl3", "tls", "default", "tls11", "tls12", "tls13")


def is_protocol(value: str) -> bool:
    """Tell whether a value of `protocol` is known: RESP 2 or 3, by name or number."""
    return value.lower() in ("resp2", "resp3") or re.fullmatch(r"\+?0*[23]", value) is not None


def is_ssl_protocols(value: str) -> bool:
    """Tell whether a value of `sslProtocols` is known: names joined by `|`, or one number of their bits."""
    if re.fullmatch(r"[0-9]{1,9}", value):
        return True
    return all(name.strip().lower() in _SSL_PROTOCOLS for name in value.split("|"))


def is_version(value: str) -> bool:
    """Tell whether a value of `version` is one: one to four numbers with dots between them."""
    return re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", value) is not None
