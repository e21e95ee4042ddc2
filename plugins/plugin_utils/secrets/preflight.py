# SPDX-License-Identifier: GPL-3.0-or-later
"""The check before a deploy: a Secret against what the configuration needs, and the certificate that another tool made.

Nothing is written. No value of a Secret leaves this file.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from ..api.connection import Connection
from ..objects.errors import ApiError, ApplyError
from .secret_keys import RequiredSecret, existing_faults, missing_keys, reasons_of, unused_keys
from .secret_values import REQUIRED_KEYS, vault_variable

Connect = Callable[[], AbstractContextManager[Connection]]


def compare_secret(
    connect: Connect,
    *,
    namespace: str,
    name: str,
    required: Sequence[RequiredSecret],
    keys: Sequence[str] | None = None,
    report_unused: bool = True,
    tls_secret: str = "",
    tls_host: str = "",
) -> dict[str, Any]:
    """Return the keys that nothing uses (`unused`) and the `warnings`.

    :param required: the keys that the configuration needs, each with its reasons
    :param keys: the keys that the Secret is going to have; None if another tool makes it, then the live one is read
    :param tls_secret: the Secret with the certificate for `tls_host`, if another tool makes it
    :raises ApplyError: the Secret does not fit the configuration, or cannot be read
    """
    secret = f"{namespace}/{name}"
    if keys is None:
        data = _live_data(connect, namespace, name, required)
        keys, faults, advice = list(data), existing_faults(required, data), "Correct it at its source"
    else:
        faults = [
            f"it has no {entry['key']}: set {vault_variable(entry['key'])}. {reasons_of(entry)}"
            for entry in missing_keys(required, keys)
        ]
        advice = "Correct the Vault file of the inventory (docs/how-to/secrets.md), or the configuration"
    if faults:
        raise ApplyError(
            f"The Secret {secret} does not fit the configuration. {advice}; nothing was applied.\n"
            + "\n".join(f"- {fault}" for fault in faults)
        )
    warnings = _certificate_warnings(connect, namespace, tls_secret, tls_host) if tls_secret else []
    unused = unused_keys(required, keys)
    if unused and report_unused:
        warnings.append(
            f"Nothing in the configuration uses these keys of the Secret {secret}: {', '.join(unused)}. "
            "Leave them out, or set preflight_report_unused_keys to false."
        )
    return {"unused": unused, "warnings": warnings}


def _certificate_warnings(connect: Connect, namespace: str, name: str, host: str) -> list[str]:
    """Refuse a Secret that gives the host no certificate; return the warnings about one that soon will not."""
    # Imported here: it costs 30 ms, and most releases have no such Secret
    from . import tls_secret

    secret = f"{namespace}/{name}"
    try:
        with connect() as connection:
            live = connection.find(_path(namespace, name))
    except ApiError as error:
        return [f"The certificate in the Secret {secret} is not checked, because the Secret cannot be read: {error}"]
    if live is None:
        raise ApplyError(
            f"The Secret {secret}, which dispatcher_tls_secret_name names, does not exist. Create it first (kubectl "
            "create secret tls), or set dispatcher_tls to issuer or certificate. Nothing was applied."
        )
    faults, warnings = tls_secret.examine(live, host, datetime.now(UTC))
    if faults:
        raise ApplyError(
            f"The Secret {secret}, which dispatcher_tls_secret_name names, does not fit {host}. Correct it at its "
            "source. Nothing was applied.\n" + "\n".join(f"- {fault}" for fault in faults)
        )
    return [f"The Secret {secret}: {warning}." for warning in warnings]


def _live_data(connect: Connect, namespace: str, name: str, required: Sequence[RequiredSecret]) -> Mapping[str, Any]:
    """The data of the live Secret."""
    secret = f"{namespace}/{name}"
    try:
        with connect() as connection:
            live, host = connection.find(_path(namespace, name)), connection.host
    except ApiError as error:
        raise ApplyError(
            f"The Secret {secret}, which secrets_existing_name names, cannot be read: {error}. The account that "
            "deploys must be allowed to get it, because its keys are checked. Nothing was applied."
        ) from None
    if live is None:
        needed = ", ".join([*REQUIRED_KEYS, *(entry["key"] for entry in required)])
        raise ApplyError(
            f"The Secret {secret}, which secrets_existing_name names, does not exist on {host}. Create it first, with "
            f"the keys {needed}; or leave secrets_existing_name empty, so that the role secrets creates one. Nothing "
            "was applied."
        )
    return live.get("data") or {}


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"
