# SPDX-License-Identifier: GPL-3.0-or-later
"""The options C(transaction) and C(drain) of the actions that open, commit or undo a deploy; see doc_fragments."""

from __future__ import annotations

from typing import Any

from ..objects.errors import ApplyError
from ..objects.owner import Owner
from ..release.deploy import Transaction
from ..release.drain import Drain
from ..release.lock import LockSettings


def transaction_of(options: dict[str, Any]) -> Transaction:
    """Return the transaction that checked options describe.

    :raises ApplyError: when a time cannot be.
    """
    for name, least in (("lock_duration", 1), ("lock_timeout", 0)):
        if options[name] < least:
            raise ApplyError(
                f"{name} (agentsmith_{name}) is {options[name]}. Allowed: a number of seconds, {least} or more."
            )
    lock = LockSettings(options["lock_duration"], options["lock_timeout"])
    owner = Owner(options["namespace"], options["instance"])
    return Transaction(owner, options["complete"], options["on_failure"] == "keep", lock)


def drain_of(options: dict[str, Any] | None) -> Drain | None:
    """Return what checked options say to wait for, None where they say nothing."""
    return Drain(**options) if options else None
