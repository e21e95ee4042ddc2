# SPDX-License-Identifier: GPL-3.0-or-later
"""The options C(transaction) and C(drain) of the actions that open, commit or undo a deploy; see doc_fragments."""

from typing import Any

from ansible import context
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

from ..objects.errors import ApplyError
from ..objects.owner import Owner
from ..release.deploy import Transaction
from ..release.drain import Drain
from ..release.history import Origin
from ..release.lock import LockSettings

REASON = "agentsmith_reason"  # has its own place in the history
ALL_TAGS = ("all",)  # Ansible's default


def transaction_of(options: dict[str, Any], task_vars: dict[str, Any] | None = None) -> Transaction:
    """Return the transaction that checked options describe.

    :param task_vars: of a task that leaves an entry in the history: they tell where the inventory is.
    :raises ApplyError: when a time cannot be.
    """
    for name, least in (("lock_duration", 1), ("lock_timeout", 0)):
        if options[name] < least:
            raise ApplyError(
                f"{name} (agentsmith_{name}) is {options[name]}. Allowed: a number of seconds, {least} or more."
            )
    lock = LockSettings(options["lock_duration"], options["lock_timeout"])
    owner = owner_of(options)
    return Transaction(owner, options["complete"], options["on_failure"] == "keep", lock, origin_of(options, task_vars))


def origin_of(options: dict[str, Any], task_vars: dict[str, Any] | None) -> Origin:
    """Return what the history says of where a run came from. Of the extra variables it gets the names alone."""
    # ansible-playbook has read them before the first task
    extra_variables = [str(name) for name in load_extra_vars(DataLoader()) if name != REASON]
    tags, skip_tags = (tuple(map(str, context.CLIARGS.get(name) or ())) for name in ("tags", "skip_tags"))
    # Ansible knows no directory of an inventory that was given as a list of hosts
    inventory = str((task_vars or {}).get("inventory_dir") or "")
    return Origin(options["reason"], inventory, extra_variables, () if tags == ALL_TAGS else tags, skip_tags)


def owner_of(options: dict[str, Any]) -> Owner:
    """Return the release that checked options name, with what its lock and its record get beside our labels."""
    return Owner(
        options["namespace"], options["instance"], labels=options["labels"], annotations=options["annotations"]
    )


def drain_of(options: dict[str, Any] | None) -> Drain | None:
    """Return what checked options say to wait for, None where they say nothing."""
    return Drain(**options) if options else None
