# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the Secret. Values are looked at, and never quoted."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from ..secrets.redis_configuration import RedisConfigurationError, check_configuration
from ..secrets.secret_values import REQUIRED_KEYS
from ..text.counted import counted
from .outcome import NOT_CHECKED, OK, Outcome, judged


def check_secret_keys(check: str, name: str, secret: Mapping[str, Any] | None, intended: Sequence[str]) -> Outcome:
    """The Secret has the keys without which the Dispatcher does not start, and those of the release; none is empty.

    :param intended: keys that the release gives it.
    """
    if secret is None:
        hint = "Deploy, or create the Secret that the release refers to."
        return judged(check, False, f"Secret {name} does not exist", hint)
    data = secret.get("data") or {}
    wanted = list(dict.fromkeys([*sorted(REQUIRED_KEYS), *intended]))
    missing = [key for key in wanted if key not in data]
    # An empty value counts as a value for the app, and fails later, elsewhere.
    empty = [key for key, value in data.items() if not value_of(value).strip()]
    faults = [f"no {key}" for key in missing] + [f"{key} is empty" for key in empty]
    if "redis-url" in data and "redis-url" not in empty:
        faults += _faults_of_redis_url(value_of(data["redis-url"]))
    hint = (
        "Correct the Vault file and deploy; redis-url is host:port with options, as in redis:6379,abortConnect=false."
    )
    return judged(check, not faults, "; ".join(faults) or f"all of {counted(len(wanted), 'key')} are there", hint)


def _faults_of_redis_url(value: str) -> list[str]:
    """Return what the app cannot work with."""
    try:
        check_configuration(value)
    except RedisConfigurationError as error:  # which quotes no part of the value
        return [f"redis-url {error}"]
    return []


def check_provider_tokens(
    check: str, secret: Mapping[str, Any] | None, required: Sequence[Mapping[str, Any]] | None
) -> Outcome:
    """The Secret has a token for every provider that the configuration uses.

    :param required: as `agentsmith_config.secrets.RequiredSecret.as_dict()` has them; None where there is no
        configuration to tell.
    """
    if required is None or secret is None:
        return Outcome(check, NOT_CHECKED, "there is no Secret" if secret is None else "there is no configuration")
    data = secret.get("data") or {}
    missing = [entry for entry in required if not value_of(data.get(entry["key"], "")).strip()]
    if missing:
        evidence = "\n".join(f"no {entry['key']}, needed by {'; '.join(entry['reasons'])}" for entry in missing)
        return judged(check, False, evidence, "Add it to the Vault file and deploy, or remove the project.")
    lost = [entry["key"] for entry in required if not entry["reaches_jobs"]]
    evidence = ", ".join(entry["key"] for entry in required) or "the configuration needs none"
    hint = f"The app does not pass {', '.join(lost)} on to its Jobs: `fix` cannot work for the projects that need it."
    # Known before the deploy: nothing is wrong with this installation.
    return Outcome(check, OK, evidence, hint if lost else "")


def value_of(encoded: str) -> str:
    """Return a value of a Secret's `data` as text, with what is no UTF-8 replaced. What is no base64 is empty."""
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
