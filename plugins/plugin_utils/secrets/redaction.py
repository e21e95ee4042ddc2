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
from collections.abc import Iterable, Iterator, Mapping
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
# The middle of a longer base64 is looked for from here on: shorter ones are part of what anybody may write.
SHORTEST_IN_BASE64 = 8  # characters
_OF_A_LOGIN = ("password", "auth", "identitytoken", "registrytoken")
_URL_SAFE = str.maketrans("+/", "-_")
_PERCENT_ENCODED = re.compile(r"%[0-9A-F]{2}")
# System.Text.Json writes these as \\u002B, so that its output can stand in a page
_ESCAPED_BY_DOTNET = re.compile(r"""\\"|[&'+<>`]""")
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

    def learn(self, bodies: Iterable[Mapping[str, Any] | None]) -> None:
        """Remember the values of the Secrets among *bodies*."""
        for body in bodies:
            if body and body.get("kind") == "Secret":
                for value in (body.get("data") or {}).values():
                    self._values |= _forms(value).union(*map(_forms, _passwords_in(value)))

    def hide(self, texts: Iterable[str]) -> None:
        """Remember further texts that are not to be shown."""
        self._values |= {text for text in texts if len(text) >= SHORTEST_MASKED}

    def keys_of(self, secret: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the keys of a Secret, each with the size of its value in bytes and a digest that lasts for the run."""
        identity = Identity.of(secret)
        return {
            key: {"bytes": size_of(value), "digest": self._digest(identity, key, value)}
            for key, value in sorted((secret.get("data") or {}).items())
        }

    def text(self, text: str) -> str:
        """Return *text* with every known value replaced by the mask."""
        return self.counted(text)[0]

    def counted(self, text: str) -> tuple[str, int]:
        """Return *text* masked, and how many times it showed a value."""
        # Most texts show none, and a search for each form is quicker than one pattern of hundreds.
        found = [value for value in self._values if value in text]
        if not found:
            return text, 0
        # The longest first: a value may be the beginning of another one.
        alternatives = (_expression(value) for value in sorted(found, key=len, reverse=True))
        return re.subn("|".join(alternatives), MASK, text)

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


def size_of(encoded: str) -> int:
    """Return how many bytes a Secret's value (base64, as in ``data``) has."""
    return len(encoded.rstrip("=")) * 3 // 4


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
    forms |= _within_base64(value)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        plain: set[str] = set()
    else:
        plain = {text, text.strip(), *(line.strip() for line in text.splitlines() if len(line) >= SHORTEST_MASKED_LINE)}
    for form in plain:
        for escaped in (quote(form), quote(form, safe=""), quote_plus(form)):
            forms |= {escaped, escaped.lower(), _PERCENT_ENCODED.sub(lambda match: match[0].lower(), escaped)}
        in_json = json.dumps(form)[1:-1]
        # JSON in a string of JSON, and the escapes of the app's own writer
        forms |= {form, in_json, json.dumps(in_json)[1:-1], _ESCAPED_BY_DOTNET.sub(_unicode_escape, in_json)}
        forms |= _within_base64(form.encode())
    # The length that counts is that of the value: base64 makes four characters of one.
    long_enough = len(value) >= SHORTEST_MASKED
    return {form for form in forms if len(form) >= SHORTEST_MASKED} if long_enough else set()


def _within_base64(value: bytes) -> set[str]:
    """Return how a value looks in the base64 of a longer text: by its place there, it begins at one of three bits.

    The characters at its ends also have bits of what is beside it, so they are left out.
    """
    forms = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value).decode()
        core = whole[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        if len(core) >= SHORTEST_IN_BASE64:
            forms |= {core, core.translate(_URL_SAFE)}
    return forms


def _unicode_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0][-1]):04X}"


def _passwords_in(encoded: str) -> list[str]:
    """Return, encoded as it, the passwords in a Secret's value: the address of a Redis, the logins of registries.

    A log of Redis or of its client may show one without the rest. The app shows an end point that it cannot reach, and
    takes a URL, or what is before an @, for the name of one.
    """
    try:
        value = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return []
    before_host = _PASSWORD_BEFORE_HOST.match(value.split(",password", 1)[0])
    passwords = {credentials_of(value)[1], before_host[1] if before_host else "", *_logins_in(value)} - {""}
    return [base64.b64encode(password.encode()).decode() for password in sorted(passwords)]


def _logins_in(value: str) -> Iterator[str]:
    """Yield the passwords and tokens in a file of Docker's logins (type kubernetes.io/dockerconfigjson)."""
    try:
        registries = json.loads(value)["auths"].values() if '"auths"' in value else ()
        for login in registries:
            yield from (login[name] for name in _OF_A_LOGIN if isinstance(login.get(name), str))
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # no such file: the value is masked as a whole


def _expression(value: str) -> str:
    escaped = re.escape(value)
    return rf"(?<!\w){escaped}(?!\w)" if len(value) <= LONGEST_WORD else escaped
