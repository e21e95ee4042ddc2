# SPDX-License-Identifier: GPL-3.0-or-later
"""The first part of a deploy as a transaction: plan, lock, look whether the plan still holds, write, wait.

The lock outlives the run, because the release is verified before commit.py ends the transaction well or
restore.py ends it badly. A failure in here gives the lock back at once.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..apply.plan import settle
from ..apply.write_permissions import Need, ask, needs_of
from ..objects.identity import Identity
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject
from ..pods.names import DISPATCHER, REDIS
from ..secrets.redaction import Redactor
from .drain import Drain, wait_for_jobs
from .history import Origin
from .lock import LockSettings, ReleaseLease, given_back_on_failure, new_holder
from .record import ReleaseRecord, Releases
from .run import Cluster, Found, Run, Settings, version_of

RIGHTS_TIMEOUT = 10.0  # seconds
RIGHTS_PAUSE = 0.5  # seconds


@dataclass(frozen=True)
class Transaction:
    """The release that is dealt with, and how it is locked.

    :param complete: whether the objects are a whole release, so that what is not among them is to go.
    :param keep: whether a failed deploy is left as it is instead of being undone.
    :param origin: what the history says of where a run came from.
    """

    owner: Owner
    complete: bool = True
    keep: bool = False
    lock: LockSettings = LockSettings()
    origin: Origin = Origin()


@dataclass(frozen=True)
class Plan:
    """What a plan was made from: the record of the release, and the versions of the live objects."""

    releases: Releases
    versions: Mapping[Identity, str | None]


def _versions_with(found: Found, created: Mapping[Identity, PlannedObject]) -> dict[Identity, str | None]:
    """Return the versions of what was found, and of what this run has made since."""
    return {**found.versions, **{identity: version_of(item.after) for identity, item in created.items()}}


class LockedRun(Run):
    """A run that stops before its next writes when the lock has passed to another run."""

    def __init__(self, settings: Settings, redactor: Redactor, transaction: Transaction) -> None:
        super().__init__(settings, redactor)
        self._transaction = transaction
        self._lease: ReleaseLease | None = None  # where the run works under one

    def _before_wave(self, wave: Sequence[PlannedObject]) -> None:
        self._check_lock()
        super()._before_wave(wave)

    def _delete_surplus(self, cluster: Cluster) -> None:
        self._check_lock()
        super()._delete_surplus(cluster)

    def _check_lock(self) -> None:
        if self._lease:
            self._lease.check()


class DeployRun(LockedRun):
    """Applies a release under its lock. An unchanged one is left alone: no lock, no write.

    ``holder`` is as whom the run took the lock, empty when it did not. After a failure nobody holds it; what undoes the
    failure takes it as the same one. ``opened``: whether there was anything to do. ``started``: whether it came to the
    writes and the wait under the lock, which a rollback undoes.
    """

    def __init__(
        self, settings: Settings, redactor: Redactor, transaction: Transaction, drain: Drain | None = None
    ) -> None:
        super().__init__(settings, redactor, transaction)
        self._drain = drain
        self._proven: list[dict[str, Any]] = []  # the objects of the last good release
        self.holder = ""
        self.opened = self.started = False
        self._lost_call: dict[str, str] = {}

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        return {
            **super().result(),
            "transaction": {
                "opened": self.opened,
                "started": self.started,
                "holder": self.holder,
                "lost_call": self._lost_call,
            },
        }

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        connection, owner = cluster.connection, self._transaction.owner
        stated = json.loads(json.dumps(bodies))  # the plan stamps the workloads
        release_record = ReleaseRecord(connection, owner)
        record = cluster.executor.submit(release_record.read)
        lease = ReleaseLease(connection, owner, new_holder(), self._transaction.lock, say=self._settings.say)
        lock = cluster.executor.submit(lease.find)
        releases = record.result()
        self._once_stated = releases.bodies()
        self._proven = releases.current or []
        self._redactor.learn(self._once_stated)
        found = self._plan_present(cluster, bodies)
        recorded = releases.followed_by(stated, self._transaction.complete) == releases
        # A lock that is there is held by another run, or by one that died before it could record what it had done.
        unfinished = not recorded or lock.result() is not None
        self.opened = unfinished or self._has_writes
        needs: list[Need] = []
        if self.opened:
            undoable = releases.current is not None and not self._transaction.keep
            needs = [
                *needs_of(cluster.discovery, [*self._planned, *self._surplus], undoable),
                *lease.needs(),
                # It has the history, too
                *(release_record.needs(releases) if not recorded or self._has_writes else []),
            ]
            # Rights in a namespace may come with it: those are asked for when it is there
            missing = {item.identity.namespace for item in self._planned if item.namespace_missing}
            self._check_permissions(
                cluster, owner.namespace, [need for need in needs if need.subject.namespace not in missing]
            )
            settle(connection, cluster.executor, self._planned)
            self.opened = unfinished or self._has_writes
        if not self.opened:
            self._wait_for_rollout(cluster)
            return
        if self._settings.check_mode:
            self._warn_of_drain(cluster)
            self._execution.apply(self._planned)
        else:
            created = self._create_namespace()
            if created:
                self._check_permissions_of_new_namespace(cluster, needs)
            # A run that holds the lock, or left it behind, may have changed what no fresh look would show
            plan = None if lock.result() else Plan(releases, _versions_with(found, created))
            self._bring_locked(cluster, bodies, lease, created, plan)

    def _is_proven(self, item: PlannedObject) -> bool:
        # What a deploy that failed has left is unchanged, too
        return super()._is_proven(item) and item.desired in self._proven

    @property
    def _has_writes(self) -> bool:
        return any(item.to_write for item in [*self._planned, *self._surplus])

    def _check_permissions_of_new_namespace(self, cluster: Cluster, needs: list[Need]) -> None:
        """Ask again when the namespace is there. Who binds its maker to rights in it does so a moment later."""
        namespace = self._transaction.owner.namespace
        deadline = time.monotonic() + RIGHTS_TIMEOUT
        while time.monotonic() < deadline and ask(cluster.connection, cluster.executor, namespace, needs).missing:
            time.sleep(RIGHTS_PAUSE)
        self._check_permissions(cluster, namespace, needs, "Nothing was made but the Namespace.")

    def _bring_locked(
        self,
        cluster: Cluster,
        bodies: list[dict[str, Any]],
        lease: ReleaseLease,
        created: dict[Identity, PlannedObject],
        plan: Plan | None,
    ) -> None:
        with given_back_on_failure(lease, self._warnings), lease.kept():
            self._lease, self.holder = lease, lease.holder
            self._plan_locked(cluster, bodies, created, None if lease.predecessor else plan)
            self._wait_for_jobs(cluster)
            self.started = True
            if self._stop_fillers(cluster):
                self._plan_locked(cluster, bodies, created)
            self._execution.apply(self._planned, self._before_wave)
            self._wait_locked(cluster)
            self._check_lock()

    def _wait_locked(self, cluster: Cluster) -> None:
        """Wait for the rollout. The check that takes longest is made meanwhile, if a pod for it is replaced."""
        planned = {(item.identity.kind, item.identity.name): item for item in self._planned}
        deployments = [planned.get(("Deployment", name)) for name in (DISPATCHER, REDIS)]
        is_checked = self._transaction.complete and all(deployments) and ("NetworkPolicy", REDIS) in planned
        if not is_checked or not self._settings.wait or not any(item and item.to_write for item in deployments):
            self._wait_for_rollout(cluster)
            return
        # What an unchanged deploy does not need
        from ..verification.call_during_rollout import CallDuringRollout

        with CallDuringRollout(cluster.connection, self._transaction.owner) as call:
            self._wait_for_rollout(cluster)
        self._lost_call = asdict(call.lost) if call.lost.caller else {}

    def _plan_locked(
        self,
        cluster: Cluster,
        bodies: list[dict[str, Any]],
        created: dict[Identity, PlannedObject],
        plan: Plan | None = None,
    ) -> None:
        """Plan again if anything has changed since the plan was made. What nobody has changed is not planned twice."""
        record = cluster.executor.submit(ReleaseRecord(cluster.connection, self._transaction.owner).read)
        found = self._look(cluster, bodies)
        releases = record.result()
        if not plan or found.versions != plan.versions or releases != plan.releases:
            self._once_stated = releases.bodies()
            self._redactor.learn(self._once_stated)
            self._plan_present(cluster, bodies, found)
            settle(cluster.connection, cluster.executor, self._planned)
        self._planned = [created.get(item.identity, item) for item in self._planned]

    def _create_namespace(self) -> dict[Identity, PlannedObject]:
        """Create the namespace where it is missing: the lock lives in it."""
        missing = [
            item
            for item in self._planned
            if item.identity.kind == "Namespace"
            and item.identity.name == self._transaction.owner.namespace
            and item.live is None
        ]
        self._execution.apply(missing)
        return {item.identity: item for item in missing}

    def _delete_surplus(self, cluster: Cluster) -> None:
        """Leave it to the commit: until the release is verified, a rollback may need what is no longer wanted."""

    def _wait_for_jobs(self, cluster: Cluster) -> None:
        if self._drain:
            self._warnings += wait_for_jobs(cluster.connection, self._drain, self._planned, say=self._settings.say)

    def _warn_of_drain(self, cluster: Cluster) -> None:
        if self._drain:
            self._warnings += wait_for_jobs(cluster.connection, self._drain.previewed(), self._planned)
