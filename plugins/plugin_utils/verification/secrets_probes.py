# SPDX-License-Identifier: GPL-3.0-or-later
"""The live Secret is looked at."""

from ..agentsmith_config.check import examine
from . import secret
from .outcome import Outcome
from .probe import Asked, Probe, intended_text, live_text


def secret_keys(asked: Asked) -> list[Outcome]:
    """Look at the keys of the live Secret."""
    name = asked.target.names.secret
    intended = (asked.target.intended("Secret", name) or {}).get("data") or {}
    return [secret.check_secret_keys("secret_keys", name, asked.target.secret, list(intended))]


def provider_tokens(asked: Asked) -> list[Outcome]:
    """Compare them with what the configuration uses."""
    text = intended_text(asked) or live_text(asked)
    report = None if text is None else examine(text, release=asked.app.reads)
    required = None if report is None else [entry.as_dict() for entry in report.required_secrets]
    return [secret.check_provider_tokens("provider_tokens", asked.target.secret, required)]


PROBES = (
    Probe(("secret_keys",), "secrets", secret_keys),
    Probe(("provider_tokens",), "secrets", provider_tokens),
)
