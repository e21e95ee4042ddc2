# SPDX-License-Identifier: GPL-3.0-or-later
"""The good end of a deploy: delete what is no longer wanted, record the release, give the lock back."""

from typing import Any

from ..secrets.redaction import Redactor
from .deploy import LockedRun, Transaction
from .lock import ReleaseLease, give_back
from .record import ReleaseRecord, Releases
from .run import Cluster, Settings


class CommitRun(LockedRun):
    """Ends the transaction that *holder* has opened, for the objects that it is given.

    ``recorded``: whether the record of the last good release was written, or would be.
    """

    def __init__(self, settings: Settings, redactor: Redactor, transaction: Transaction, holder: str) -> None:
        super().__init__(settings, redactor, transaction)
        self._holder = holder
        self.recorded = False

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        result = super().result()
        return {**result, "changed": result["changed"] or self.recorded, "recorded": self.recorded}

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        record = ReleaseRecord(cluster.connection, self._transaction.owner)
        lease = ReleaseLease(cluster.connection, self._transaction.owner, self._holder, self._transaction.lock)
        if self._settings.check_mode:
            # Of a lock that is there, the run would find out whether it was left behind.
            self._every_kind = lease.find() is not None
            releases = self._finish(cluster, bodies, record)
            self.recorded = releases is not None
            return
        try:
            lease.adopt()
            self._lease = lease
            self._every_kind = lease.was_left_behind
            with lease.kept():
                releases = self._finish(cluster, bodies, record)
                self._check_lock()
                if releases:
                    record.write(releases, self._holder)
                    self.recorded = True
        finally:
            self._warnings += give_back(lease)

    def _finish(self, cluster: Cluster, bodies: list[dict[str, Any]], record: ReleaseRecord) -> Releases | None:
        """Prune, and return what is to be recorded; None where that is recorded already."""
        before = record.read()
        self._once_stated = before.bodies()
        self._redactor.learn(self._once_stated)
        # Deploys may have failed before the first good one.
        self._every_kind |= before.unfinished or before.current is None
        self._plan_prune(cluster, bodies)
        self._delete_surplus(cluster)
        after = before.followed_by(bodies, self._transaction.complete)
        return after if after != before else None
