# SPDX-License-Identifier: GPL-3.0-or-later
"""The good end of a deploy: delete what is no longer wanted, record the release, give the lock back."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..objects.errors import ApplyError
from ..secrets.redaction import Redactor
from .deploy import LockedRun, Transaction
from .history import DEPLOY, FAILED, SUCCEEDED, Account, Entry
from .lock import LeaseLost, ReleaseLease, give_back
from .record import ReleaseRecord, Releases
from .run import Cluster, Settings


class CommitRun(LockedRun):
    """Ends the transaction that *holder* has opened, for the objects that it is given.

    ``recorded``: whether the release was recorded as the last good one, or would be. ``entry``: what the history says
    of the run; None where nothing was changed, and in check mode.

    :param applied: what became of the objects in the tasks before this one.
    """

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        transaction: Transaction,
        holder: str,
        applied: Sequence[Mapping[str, Any]] = (),
        action: str = DEPLOY,
    ) -> None:
        super().__init__(settings, redactor, transaction)
        self._holder = holder
        self._applied = applied
        self._action = action
        self.recorded = False
        self.entry: Entry | None = None

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        result = super().result()
        entry = self.entry.as_dict() if self.entry else None
        return {**result, "changed": result["changed"] or self.recorded, "recorded": self.recorded, "entry": entry}

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        record = ReleaseRecord(cluster.connection, self._transaction.owner)
        lease = ReleaseLease(cluster.connection, self._transaction.owner, self._holder, self._transaction.lock)
        if self._settings.check_mode:
            # Of a lock that is there, the run would find out whether it was left behind.
            self._every_kind = lease.find() is not None
            before, after = self._finish(cluster, bodies, record)
            self.recorded = after != before
            return
        try:
            lease.adopt()
            self._lease = lease
            self._every_kind = lease.was_left_behind
            with lease.kept():
                before, after = self._finish(cluster, bodies, record)
                self._check_lock()
                account = self._account(completes=lease.was_left_behind)
                if after != before or account.changed:
                    told, entry = after.told(account, SUCCEEDED, before.history.next_revision)
                    record.write(told, self._holder)
                    self.recorded, self.entry = after != before, entry
        finally:
            self._warnings += give_back(lease)

    def _account(self, completes: bool = False, cause: str = "") -> Account:
        changes = [*self._applied, *super().result()["objects"]]
        origin, masked = self._transaction.origin, self._redactor.text
        return Account(self._action, origin, self._holder, changes, masked, cause, completes)

    def _finish(
        self, cluster: Cluster, bodies: list[dict[str, Any]], record: ReleaseRecord
    ) -> tuple[Releases, Releases]:
        """Prune, and return what is recorded and what is to be."""
        before = record.read()
        self._once_stated = before.bodies()
        self._redactor.learn(self._once_stated)
        # Deploys may have failed before the first good one.
        self._every_kind |= before.unfinished or before.current is None
        try:
            self._plan_prune(cluster, bodies)
            self._delete_surplus(cluster)
        except LeaseLost:
            raise
        except ApplyError as error:
            self._note_failure(record, before, error)
            raise
        return before, before.followed_by(bodies, self._transaction.complete)

    def _note_failure(self, record: ReleaseRecord, before: Releases, error: ApplyError) -> None:
        if self._settings.check_mode:
            return
        told, entry = before.told(self._account(cause=str(error)), FAILED, before.history.next_revision)
        try:
            record.note(told)
            self.entry = entry
        except ApplyError as refused:
            self._warnings.append(f"The history does not tell of this run: {refused}")
