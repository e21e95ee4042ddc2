# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request is sent with, so that the API server knows who asks: headers, or a client certificate."""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..objects.errors import ConnectionFailed
from .cluster_access import ClusterAccess
from .exec_plugin import credential_of, seconds_of
from .wait_report import Say

# A file with a token is read again after this time, as kubectl does: the kubelet renews that of a ServiceAccount.
TOKEN_FILE_LIFETIME = 60.0  # seconds


@dataclass(frozen=True)
class Credentials:
    """``headers`` of each request, and a client certificate with its key (PEM). ``expires``: seconds since 1970."""

    headers: tuple[tuple[str, str], ...] = ()
    certificate: bytes = b""
    key: bytes = b""
    expires: float | None = None

    @property
    def have_expired(self) -> bool:
        """Whether they must be read again before the next request."""
        return self.expires is not None and time.time() >= self.expires

    def __repr__(self) -> str:
        """Show nothing of them."""
        return "Credentials()"


def read_credentials(access: ClusterAccess, say: Say | None) -> Credentials:
    """Read the credentials of a user, or run the command that gets them.

    :raises ConnectionFailed: when that is not possible.
    """
    user = access.user
    authorization, expires = _authorization(access)
    certificate = data_or_file(user, "client-certificate", access.user_name)
    key = data_or_file(user, "client-key", access.user_name)
    if not authorization and user.get("exec"):
        status = credential_of(user["exec"], access.cluster, access.user_name, say)
        authorization = f"Bearer {status['token']}" if status.get("token") else ""
        expires = seconds_of(status.get("expirationTimestamp"))
        if status.get("clientKeyData"):
            certificate, key = status["clientCertificateData"].encode(), status["clientKeyData"].encode()
    headers = [("Authorization", authorization)] if authorization else []
    return Credentials((*headers, *_impersonation(user)), certificate, key, expires)


def data_or_file(entry: Mapping[str, Any], name: str, source: str) -> bytes:
    """Return what an entry holds under a name, inline (`-data`) or in a file; nothing where it has neither.

    :raises ConnectionFailed: when it cannot be read.
    """
    if entry.get(f"{name}-data"):
        try:
            return base64.b64decode("".join(entry[f"{name}-data"].split()), validate=True)
        except (binascii.Error, ValueError):
            raise ConnectionFailed(f"{name}-data of {source} is not base64.") from None
    return _content(entry[name], name, source) if entry.get(name) else b""


def _content(path: Any, name: str, source: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise ConnectionFailed(f"{name} of {source}: {path} cannot be read: {reason}") from None


def _authorization(access: ClusterAccess) -> tuple[str, float | None]:
    """Return the header Authorization and when it expires."""
    user = access.user
    if user.get("tokenFile"):
        try:
            token = _content(user["tokenFile"], "tokenFile", access.user_name).decode("utf-8", "replace").strip()
        except ConnectionFailed:
            if not user.get("token"):
                raise
            token = user["token"]
        if not token:
            raise ConnectionFailed(f"tokenFile of {access.user_name}: {user['tokenFile']} is empty.")
        return _bearer(token, access), time.time() + TOKEN_FILE_LIFETIME
    if user.get("token"):
        return _bearer(user["token"], access), None
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}", None
    if user.get("auth-provider"):
        return _id_token(user["auth-provider"], access)
    return "", None


def _bearer(token: str, access: ClusterAccess) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConnectionFailed(
            f"The token of {access.user_name} has characters that no token has, or is several lines."
        )
    return f"Bearer {token}"


def _id_token(provider: Mapping[str, Any], access: ClusterAccess) -> tuple[str, float | None]:
    """Return the token that kubectl has stored for OpenID Connect."""
    name = provider.get("name")
    if name != "oidc":
        raise ConnectionFailed(
            f"{access.user_name} gets its credentials by auth-provider {name}, which Kubernetes has removed. Use the "
            "command of your cloud (exec) instead."
        )
    token = str((provider.get("config") or {}).get("id-token") or "")
    expires = _expiry(token)
    if expires is None or expires <= time.time():
        raise ConnectionFailed(
            f"{access.user_name} has no valid id-token for auth-provider oidc. Run kubectl with this context once: it "
            "renews the token and stores it in the kubeconfig."
        )
    return _bearer(token, access), expires


def _expiry(token: str) -> float | None:
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [(name, str(user[key])) for name, key in (("User", "as"), ("Uid", "as-uid")) if user.get(key)]
    headers += [("Group", str(group)) for group in user.get("as-groups") or []]
    for key, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Extra-{quote(str(key).lower(), safe='')}", str(value)) for value in values or []]
    return [(f"Impersonate-{name}", value) for name, value in headers]
