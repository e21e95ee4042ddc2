# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: to the last good release after a deploy that failed, or to the one before it on request."""

from dataclasses import replace
from typing import Any

from ..apply.plan import settle
from ..apply.write_permissions import Need, NotPermitted, needs_of
from ..objects.errors import ApplyError
from ..objects.normalisation import normalise_objects
from ..objects.planned_object import PlannedObject
from ..secrets.redaction import Redactor
from .deploy import LockedRun, Transaction
from .drain import Drain, JobsInFlight, wait_for_jobs
from .lock import LeaseLost, ReleaseLease, give_back, new_holder
from .record import ReleaseRecord, Releases
from .run import Cluster, Settings

CURRENT, PREVIOUS = "current", "previous"


class RestoreRun(LockedRun):
    """Brings a recorded release back, under the lock, and gives the lock back whatever happens.

    :param generation: `current`, the last good release; `previous`, the one before it, which then becomes the last
        good one.
    :param holder: as whom the deploy that is undone took the lock, which it may hold still; empty for a run of its own.
    :param drain: the Jobs to wait for before the first write. On the way back from what has failed none are.
    """

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        transaction: Transaction,
        generation: str,
        holder: str = "",
        drain: Drain | None = None,
    ) -> None:
        super().__init__(settings, redactor, transaction)
        self._generation = generation
        self._holder = holder
        self._drain = drain
        self._lock_needs: list[Need] = []
        self._needs: list[Need] | None = None  # beside those of the objects, until they were asked for
        self.restored = False
        self.summary = ""

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        return {**super().result(), "restored": self.restored, "summary": self._redactor.text(self.summary)}

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        del bodies  # those of the record are meant
        owner = self._transaction.owner
        record = ReleaseRecord(cluster.connection, owner)
        holder, say = self._holder or new_holder(), self._settings.say
        lease = ReleaseLease(cluster.connection, owner, holder, self._transaction.lock, say=say)
        self._lock_needs = lease.needs()
        if self._settings.check_mode:
            live = lease.find()
            self._restore(cluster, record, live["spec"].get("holderIdentity") if live else None)
            return
        lease.acquire(*(["The changes of the failed run are still in the cluster."] if self._holder else []))
        self._lease = lease
        # What has failed may have made an object of a kind that no recorded release has.
        self._every_kind = self._generation == CURRENT or lease.was_left_behind
        try:
            with lease.kept():
                self._restore(cluster, record, lease.predecessor)
        finally:
            self._warnings += give_back(lease)

    def _restore(self, cluster: Cluster, record: ReleaseRecord, predecessor: str | None) -> None:
        """Bring the release back, after a *predecessor* that may have died when all was done but its lock's end."""
        releases = record.read()
        self._redactor.learn(releases.bodies())
        self._every_kind |= releases.unfinished
        if self._generation == CURRENT and self._transaction.keep:
            self.summary = "The changes of the failed run stay in the cluster (agentsmith_on_failure is keep)."
            self._note_unfinished(record, releases)
            return
        if self._generation == CURRENT:
            try:
                self._restore_current(cluster, releases)
            except LeaseLost:
                raise
            except ApplyError:
                self._note_unfinished(record, releases)
                raise
            return
        if predecessor and releases.rolled_back and releases.recorded_by == predecessor:
            # Another one would go forth again to the release that the user was leaving
            self.restored = True
            self.summary = (
                f"The previous release is back since {releases.recorded_at}: {predecessor} restored it, and died "
                "before it could release its lock. Nothing was changed. Run again to return to the release that you "
                "had left."
            )
            return
        if releases.previous is None:
            raise ApplyError(
                f"No release before the present one is recorded in {record.identity}, so there is nothing to roll back "
                "to. Nothing was changed."
            )
        self._needs = [*self._lock_needs, *record.needs(releases)]
        try:
            self._bring_back(cluster, releases.previous, releases)
        except (NotPermitted, LeaseLost, JobsInFlight):
            raise
        except ApplyError as error:
            if releases.current is None or self._settings.check_mode:
                raise
            self._bring_back(cluster, releases.current, releases)
            raise ApplyError(f"The previous release does not work: {error}\n\nThe present release is back.") from None
        if self._lease:
            self._check_lock()
            record.write(releases.swapped(), self._lease.holder)
        self.restored = True
        back = "would be" if self._settings.check_mode else "is"
        self.summary = f"The previous release {back} back. The next deploy from the inventory replaces it."

    def _note_unfinished(self, record: ReleaseRecord, releases: Releases) -> None:
        """Record that the failed run's changes stay, so that the next run looks for what they made, of every kind."""
        if not self._lease or releases.current is None or releases.unfinished:
            return
        try:
            record.write(replace(releases, unfinished=True), self._lease.holder)
        except ApplyError as error:
            self._warnings.append(f"The next deploy may not find everything that the failed run made: {error}")

    def _restore_current(self, cluster: Cluster, releases: Releases) -> None:
        if releases.current is None:
            self.summary = (
                "No good release is recorded yet, so there is nothing to roll back to. The changes of the failed run "
                "stay for you to look at. The next deploy continues from there."
            )
            return
        self._bring_back(cluster, releases.current, releases)
        self.restored = True
        written = sum(1 for item in [*self._planned, *self._surplus] if item.to_write)
        back, done = ("would be back", "would be") if self._settings.check_mode else ("is back and works", "were")
        self.summary = (
            f"The last good release, recorded at {releases.recorded_at} by {releases.recorded_by}, {back}: "
            f"{written} objects {done} written or deleted for it."
        )

    def _before_writes(self, cluster: Cluster) -> None:
        """Ask once and wait once, for a rollback on request. On the way back from what has failed, nothing stops it."""
        if self._needs is None:
            return
        needs = [*needs_of(cluster.discovery, [*self._planned, *self._surplus], undoable=True), *self._needs]
        self._needs = None
        self._check_permissions(cluster, self._transaction.owner.namespace, needs)
        if self._drain:
            settle(cluster.connection, cluster.executor, self._planned)
            drain = self._drain.without_waiting() if self._settings.check_mode else self._drain
            self._warnings += wait_for_jobs(cluster.connection, drain, self._planned, say=self._settings.say)

    def _is_proven(self, item: PlannedObject) -> bool:
        # On the way back from what has failed, nobody waits for what has worked before
        return self._generation == CURRENT or super()._is_proven(item)

    def _bring_back(self, cluster: Cluster, objects: list[dict[str, Any]], releases: Releases) -> None:
        self._once_stated = releases.bodies()
        super()._bring(cluster, normalise_objects(objects))
