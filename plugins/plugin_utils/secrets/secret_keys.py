# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a Secret against what the configuration needs. Works on names; `existing_faults` looks at values, too.

Texts from here name keys, variables and settings, and quote no value.
"""

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..agentsmith_config.schema import SECRET_KEYS
from .secret_values import REQUIRED_KEYS, value_fault

RequiredSecret = Mapping[str, Any]
"""One entry of the result `required_secrets` of agentsmith.platform.config_check: `key`, `reasons` and more."""


def missing_keys(required: Iterable[RequiredSecret], present: Collection[str]) -> list[RequiredSecret]:
    """Return what the configuration needs and the Secret does not have."""
    return [secret for secret in required if secret["key"] not in present]


def unused_keys(required: Iterable[RequiredSecret], present: Collection[str]) -> list[str]:
    """Return the keys of providers that the Secret has and the configuration needs none of.

    A key that the app does not know is no concern of the configuration: dispatcher_extra_env may refer to it.
    """
    needed = {secret["key"] for secret in required}
    return [key for key in SECRET_KEYS if key in present and key not in needed]


def reasons_of(secret: RequiredSecret) -> str:
    """Say which settings of the configuration need a key: "Needed by projects.web.tickets.type: GitHub."."""
    return f"Needed by {'; '.join(secret['reasons'])}."


def existing_faults(required: Sequence[RequiredSecret], data: Mapping[str, str]) -> list[str]:
    """Say of a live Secret's `data` (key to base64) what the app cannot work with: keys missing, empty or wrong.

    An empty value counts as missing: the app takes an empty token for a token.
    """
    values = {key: _decoded(value) for key, value in data.items()}
    present = {key for key, value in values.items() if value != ""}
    faults = [
        f"it has no {key}, without which the Dispatcher does not start" for key in REQUIRED_KEYS if key not in present
    ]
    faults += [f"it has no {secret['key']}. {reasons_of(secret)}" for secret in missing_keys(required, present)]
    for key, value in values.items():
        if key in present and (key in REQUIRED_KEYS or key in SECRET_KEYS):
            fault = "is not UTF-8 text." if value is None else value_fault(key, value, convertible=False)
            faults += [f"the value of {key} {fault}"] if fault else []
    return faults


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
