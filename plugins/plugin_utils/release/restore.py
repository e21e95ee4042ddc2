# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: to the last good release after a deploy that failed, or to the one before it on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..apply.plan import settle
from ..apply.write_permissions import Need, NotPermitted, needs_of
from ..objects.errors import ApplyError
from ..objects.normalisation import normalise_objects
from ..objects.planned_object import PlannedObject
from ..secrets.redaction import Redactor
from ..text.counted import counted
from .deploy import LockedRun, Transaction
from .drain import Drain, JobsInFlight, wait_for_jobs
from .history import DEPLOY, FAILED, ROLLBACK, ROLLED_BACK, SUCCEEDED, Account, Entry
from .lock import LeaseLost, ReleaseLease, give_back, new_holder
from .record import CURRENT, ReleaseRecord, Releases
from .run import Cluster, Settings


@dataclass(frozen=True)
class Failure:
    """The run that is undone: what it had changed, as its tasks return it, why it failed, and what it was."""

    applied: Sequence[Mapping[str, Any]] = ()
    cause: str = ""
    action: str = DEPLOY


class RestoreRun(LockedRun):
    """Brings a recorded release back, under the lock, and gives the lock back whatever happens.

    :param generation: `current`, the last good release; `previous`, the one before it, which then becomes the last
        good one.
    :param holder: as whom the deploy that is undone took the lock, which it may hold still; empty for a run of its own.
    :param drain: the Jobs to wait for before the first write. On the way back from what has failed none are.
    :param failure: what is undone, for the history.
    :param revision: the entry of the history to go back to, which must be of the previous release; 0 for whichever.

    ``entry``: what the history says of the run, or of the one that it undoes; None where it has no entry of it.
    """

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        transaction: Transaction,
        generation: str,
        holder: str = "",
        drain: Drain | None = None,
        failure: Failure = Failure(),  # noqa: B008  it is frozen
        revision: int = 0,
    ) -> None:
        super().__init__(settings, redactor, transaction)
        self._generation = generation
        self._holder = holder
        self._drain = drain
        self._failure = failure
        self._revision = revision
        self._lock_needs: list[Need] = []
        self._needs: list[Need] | None = None  # beside those of the objects, until they were asked for
        self.restored = False
        self.summary = ""
        self.entry: Entry | None = None

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        entry = self.entry.as_dict() if self.entry else None
        summary = self._redactor.text(self.summary)
        return {**super().result(), "restored": self.restored, "summary": summary, "entry": entry}

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        del bodies  # those of the record are meant
        owner = self._transaction.owner
        record = ReleaseRecord(cluster.connection, owner)
        holder, say = self._holder or new_holder(), self._settings.say
        lease = ReleaseLease(cluster.connection, owner, holder, self._transaction.lock, say=say)
        self._lock_needs = lease.needs()
        if self._generation != CURRENT:
            _require_one(record)
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
            self._note(record, releases, FAILED)
            return
        if self._generation == CURRENT:
            try:
                self._restore_current(cluster, releases)
            except LeaseLost:
                raise
            except ApplyError:
                self._note(record, releases, FAILED)
                raise
            self._note(record, releases, ROLLED_BACK if self.restored else FAILED)
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
        if self._revision and self._is_present(releases):
            self.restored = True
            self.summary = f"Revision {self._revision} is the present release. Nothing was changed."
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
            # Beside what the way back changes
            failure = Failure(super().result()["objects"], str(error), ROLLBACK)
            try:
                self._bring_back(cluster, releases.current, releases)
            except LeaseLost:
                raise
            except ApplyError:
                self._note(record, releases, FAILED, failure)
                raise
            self._note(record, releases, ROLLED_BACK, failure)
            raise ApplyError(f"The previous release does not work: {error}\n\nThe present release is back.") from None
        if self._lease:
            self._check_lock()
            account = self._account(Failure(super().result()["objects"], "", ROLLBACK), self._lease, releases)
            told, entry = releases.swapped().told(account, SUCCEEDED, releases.history.next_revision)
            record.write(told, self._lease.holder)
            self.entry = entry
        self.restored = True
        self.summary = self._way_back()

    def _way_back(self) -> str:
        """Say what came back on request, or in a preview what would."""
        text, are = "The previous release would be back. The present one would be kept.", "would be"
        if not self._settings.check_mode:
            text = (
                "The previous release is back. The one that you left is kept: to return to it, roll back once more. "
                "The next deploy from the inventory replaces it."
            )
            are = "are"
        changed = [item.identity for item in self._planned if item.result == "updated"]
        if secrets := ", ".join(identity.name for identity in changed if identity.kind == "Secret"):
            text += (
                f" The earlier values of the Secret {secrets} {are} back, too: those from before a rotation, if there "
                "was one."
            )
        return text

    def _is_present(self, releases: Releases) -> bool:
        """Tell whether the revision is of the present release, rather than of the previous one.

        :raises ApplyError: when it is of neither, with what can be done.
        """
        number, history = self._revision, releases.history
        kept = {history.current: "the present one"} if releases.current is not None else {}
        if releases.previous is not None:
            kept[history.previous] = "the previous one"
        entry = history.find(number)
        if entry is None:
            fault = f"Revision {number} is not in the history of the release."
        elif entry.outcome != SUCCEEDED or not entry.release:
            fault = f"Revision {number} ({entry.action}, {entry.outcome}) left no release to go back to."
        elif entry.release not in kept:
            fault = f"The objects of revision {number} are no longer kept: the record holds two releases."
            if entry.commit:
                fault += f" To deploy them again, check out the commit {entry.commit} of the inventory."
        else:
            return entry.release == history.current
        allowed = ", ".join(f"{revision} ({text})" for revision, text in kept.items() if revision)
        raise ApplyError(
            f"{fault} Allowed: {allowed or 'none yet'}. Without rollback_revision, the previous release comes back. "
            "Nothing was changed."
        )

    def _account(self, failure: Failure, lease: ReleaseLease, releases: Releases) -> Account:
        """Return the account of a run that found *releases*."""
        history = releases.history
        rolled = (history.current, history.previous) if failure.action == ROLLBACK else (0, 0)
        origin, masked = self._transaction.origin, self._redactor.text
        # The lock of a deploy that it undoes was taken by that
        completes = not self._holder and lease.was_left_behind
        return Account(failure.action, origin, lease.holder, failure.applied, masked, failure.cause, completes, rolled)

    def _note(self, record: ReleaseRecord, releases: Releases, outcome: str, failure: Failure | None = None) -> None:
        """Record what became of the failed run. If its changes stay, the next run looks for them, of every kind."""
        if not self._lease:
            return
        unfinished = releases.unfinished or (outcome == FAILED and releases.current is not None)
        account = self._account(failure or self._failure, self._lease, releases)
        told, entry = replace(releases, unfinished=unfinished).told(account, outcome, releases.history.next_revision)
        try:
            self._check_lock()
            record.note(told)
            self.entry = entry
        except ApplyError as error:
            self._warnings.append(
                f"The history does not tell of this run, and the next deploy may not find all that it left: {error}"
            )

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
        would = self._settings.check_mode
        back, one, many = ("would be back", *["would be"] * 2) if would else ("is back and works", "was", "were")
        self.summary = (
            f"The last good release, recorded at {releases.recorded_at} by {releases.recorded_by}, {back}: "
            f"{counted(written, f'object {one}', f'objects {many}')} written or deleted for it."
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
            drain = self._drain.previewed() if self._settings.check_mode else self._drain
            self._warnings += wait_for_jobs(cluster.connection, drain, self._planned, say=self._settings.say)

    def _is_proven(self, item: PlannedObject) -> bool:
        # On the way back from what has failed, nobody waits for what has worked before
        return self._generation == CURRENT or super()._is_proven(item)

    def _bring_back(self, cluster: Cluster, objects: list[dict[str, Any]], releases: Releases) -> None:
        self._once_stated = releases.bodies()
        super()._bring(cluster, normalise_objects(objects))


def _require_one(record: ReleaseRecord) -> None:
    """See that there is a release at all, before a lock is taken in a namespace that may be gone, too.

    :raises ApplyError: if there is none.
    """
    releases = record.read()
    if releases.current is None and releases.previous is None:
        raise ApplyError(
            f"No good release is recorded in {record.identity}, so there is nothing to roll back to. Nothing was "
            "changed. Deploy the release. If you mean another one, correct agentsmith_namespace or agentsmith_instance."
        )
