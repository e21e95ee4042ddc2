# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be shown of objects and messages: no value of a Secret, in no encoding; and diffs made of that."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from ..objects.errors import ApplyError
from ..objects.identity import Identity
from ..objects.managed_fields import LAST_APPLIED_ANNOTATION
from ..text.block_yaml import block_yaml
from .redis_configuration import credentials_of

Plain = TypeVar("Plain")

MASK = "********"
# Shorter values guard nothing, and masking them ("1", "no") would make every message unreadable.
SHORTEST_MASKED = 4  # characters
# A log may show one line of a key file; lines shorter than this are words that anything may contain.
SHORTEST_MASKED_LINE = 12  # characters
# Up to here a value is masked as a word of its own only: `info` must not eat the middle of `information`.
LONGEST_WORD = 7  # characters
# What the server adds on its own, and what it would be misleading to compare.
SERVER_METADATA = ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink")
SERVER_ANNOTATIONS = ("deployment.kubernetes.io/revision",)
# With or without a scheme. What has no colon before the @ is a user or an address of mail, whose words guard nothing.
_PASSWORD_BEFORE_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://)?[^:@/]*:(.+)@", re.IGNORECASE)


class Redactor:
    """Masks the values of the Secrets that it has been shown. One instance serves a run.

    The digest that stands for a value is keyed with a random key that exists for the run alone, so that it shows that
    a value changed and helps nobody to guess it.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, bodies: Iterable[Mapping[str, Any] | None]) -> None:
        """Remember the values of the Secrets among *bodies*."""
        for body in bodies:
            if body and body.get("kind") == "Secret":
                for value in (body.get("data") or {}).values():
                    self._values |= _forms(value).union(*map(_forms, _passwords_in(value)))
                self._pattern = None

    def text(self, text: str) -> str:
        """Return *text* with every known value replaced by the mask."""
        if not self._values:
            return text
        if self._pattern is None:
            # The longest first: a value may be the beginning of another one.
            alternatives = (_expression(value) for value in sorted(self._values, key=len, reverse=True))
            self._pattern = re.compile("|".join(alternatives))
        return self._pattern.sub(MASK, text)

    def tree(self, value: Plain) -> Plain:
        """Return *value*, a structure of plain types, with every text in it masked."""
        masked: Plain = self._masked(value)
        return masked

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._masked(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(entry) for entry in value]
        return value

    def failure(self, error: Exception) -> dict[str, Any]:
        """Return what a task that ended with *error* returns; an unforeseen one may quote an object, too."""
        if isinstance(error, ApplyError):
            return {"failed": True, "msg": self.text(str(error))}
        trace = "".join(traceback.format_exception(error))
        return {
            "failed": True,
            "msg": self.text(f"{type(error).__name__}: {error}"),
            "exception": self.text(trace),
        }

    def difference(
        self, identity: Identity, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> dict[str, str]:
        """Return the entry of ``diff`` for one object; None stands for an object that is not there."""
        return {
            "before_header": f"{identity} ({'live' if before else 'absent'})",
            "after_header": f"{identity} ({'applied' if after else 'absent'})",
            "before": self._shown(before),
            "after": self._shown(after),
        }

    def presentable(self, live: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of an object a user may see, of a Secret its keys with digests. Texts are yet to be masked."""
        body = essence(live)
        if body.get("kind") != "Secret":
            return body
        identity = Identity.of(body)
        data = {
            key: f"{MASK} (digest {self._digest(identity, key, value)})" for key, value in body.get("data", {}).items()
        }
        return {**body, "data": data}

    def _shown(self, body: Mapping[str, Any] | None) -> str:
        return self.text(block_yaml(self.presentable(body), width=1000, sort_keys=True)) if body else ""

    def _digest(self, identity: Identity, key: str, value: str) -> str:
        message = "\0".join([str(identity), key, value]).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:12]


def essence(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an object a user states or sees: without the server's bookkeeping and status."""
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key not in SERVER_METADATA}
    annotations = {
        key: MASK if key == LAST_APPLIED_ANNOTATION else value
        for key, value in (metadata.pop("annotations", None) or {}).items()
        if key not in SERVER_ANNOTATIONS
    }
    if annotations:
        metadata["annotations"] = annotations
    return {**{key: value for key, value in body.items() if key != "status"}, "metadata": metadata}


def _forms(encoded: str) -> set[str]:
    """Return the ways in which a Secret's value (base64, as in ``data``) may turn up in a text."""
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return {encoded}
    forms = {encoded, encoded.rstrip("="), base64.urlsafe_b64encode(value).decode()}
    forms.add(base64.urlsafe_b64encode(value).decode().rstrip("="))
    try:
        text = value.decode()
    except UnicodeDecodeError:
        plain: set[str] = set()
    else:
        plain = {text, text.strip(), *(line.strip() for line in text.splitlines() if len(line) >= SHORTEST_MASKED_LINE)}
    for form in plain:
        escaped = quote(form, safe="")
        forms |= {form, quote(form), escaped, escaped.lower(), quote_plus(form), json.dumps(form)[1:-1]}
    # The length that counts is that of the value: base64 makes four characters of one.
    long_enough = len(value) >= SHORTEST_MASKED
    return {form for form in forms if len(form) >= SHORTEST_MASKED} if long_enough else set()


def _passwords_in(encoded: str) -> list[str]:
    """Return, encoded as it, the passwords in a Secret's value that is the address of a Redis.

    A log of Redis or of its client may show one without the rest. The app shows an end point that it cannot reach, and
    takes a URL, or what is before an @, for the name of one.
    """
    try:
        value = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return []
    before_host = _PASSWORD_BEFORE_HOST.match(value.split(",password", 1)[0])
    passwords = {credentials_of(value)[1], before_host[1] if before_host else ""} - {""}
    return [base64.b64encode(password.encode()).decode() for password in sorted(passwords)]


def _expression(value: str) -> str:
    escaped = re.escape(value)
    return rf"(?<!\w){escaped}(?!\w)" if len(value) <= LONGEST_WORD else escaped
