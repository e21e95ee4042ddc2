# SPDX-License-Identifier: GPL-3.0-or-later
"""An object of a release on its way through a run: what is live, what is to be done, what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .identity import Identity
from .managed_fields import FIELD_MANAGER, Path, as_text, value_at

# The finalizer of a Certificate that is being deleted and whose Secret is to stay
KEEP_SECRET = f"{FIELD_MANAGER}/keep-secret"


@dataclass
class PlannedObject:
    """One object on its way through a run.

    ``refused``: it is known that we may not write it.
    ``taken_from``: the field managers whose fields become ours before the write; ``given_up``: which of those fields
    nobody states any more then.
    ``handed_over``: it ceases to be ours, and stays for those who need it. ``fills``: the Secret that cert-manager
    fills for this Certificate, and that stays when the Certificate goes.
    ``fields`` are ``paths``, what differs, as the user is told them. ``rewritten``: what differs and stays so, because
    admission gives it the live value again.
    ``result`` is `created`, `updated`, `unchanged`, `deleted` or `absent`: first what is to be done, in the end what
    was done. ``after`` is the object as the server returned it, None until then.
    """

    desired: dict[str, Any]
    path: str
    live: dict[str, Any] | None
    result: str
    fields: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    rewritten: list[Path] = field(default_factory=list)
    strip_last_applied: bool = False
    namespace_missing: bool = False
    refused: bool = False
    after: dict[str, Any] | None = None
    former_owners: list[dict[str, Any]] = field(default_factory=list)
    taken_from: set[str] = field(default_factory=set)
    given_up: list[str] = field(default_factory=list)
    handed_over: bool = False
    fills: Identity | None = None
    done: bool = False

    @property
    def identity(self) -> Identity:
        """Who the object is."""
        return Identity.of(self.desired)

    @property
    def current(self) -> dict[str, Any] | None:
        """The latest known state of the object in the cluster."""
        return self.after or self.live

    @property
    def to_write(self) -> bool:
        """Tell whether the object needs a write request."""
        return self.result in ("created", "updated", "deleted")

    def narrow(self, after: Mapping[str, Any]) -> bool:
        """Leave out of what differs what a write, which made *after* of the object, does not change.

        Return whether anything is left. If nothing is, all of it stays: the write may change what is recorded of us.
        """
        changed = [path for path in self.paths if value_at(self.live, path) != value_at(after, path)]
        if changed:
            self.rewritten = [path for path in self.paths if path not in changed]
            self.paths, self.fields = changed, [as_text(path) for path in changed]
        return bool(changed)


def awaits_release(live: Mapping[str, Any]) -> bool:
    """Tell whether an object is deleted and waits for us to let it go: a run that died has left it so."""
    return is_going(live) and KEEP_SECRET in (live["metadata"].get("finalizers") or [])


def is_going(live: Mapping[str, Any]) -> bool:
    """Tell whether an object is deleted, and still there because something has to be cleaned up first."""
    return bool(live["metadata"].get("deletionTimestamp"))
