# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher is asked where Slack reaches it."""

from __future__ import annotations

from .outcome import Outcome
from .probe import Asked, Probe, known_signing_secret
from .public_address import check_public


def public(asked: Asked) -> list[Outcome]:
    """Ask as Slack does, where Slack does."""
    checks = ("public_challenge", "public_signature")
    return check_public(checks, asked.public_url, asked.public_ca_file, known_signing_secret(asked), asked.timeout)


PROBES = (Probe(("public_challenge", "public_signature"), "public", public),)
