# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of playbooks/deploy.yml, tasks/undo_deploy.yml and rollback.yml, in the process of the test.

test_playbook_requests.py proves that the playbooks send the same requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.commit import CommitRun
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.deploy import DeployRun, Transaction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import Origin
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LockSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import CURRENT
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.restore import Failure, RestoreRun
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.run import Run, Settings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor

Result = dict[str, Any]


@dataclass
class Release:
    """A release in a namespace, and the connection and lock that its runs use."""

    namespace: str
    options: dict[str, Any]
    lock: LockSettings = field(default_factory=lambda: LockSettings(duration=2, timeout=20))
    instance: str = "agentsmith"
    drain: Drain = Drain("agentsmith-dispatcher")
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)

    @property
    def owner(self) -> Owner:
        return Owner(self.namespace, self.instance, labels=self.labels, annotations=self.annotations)

    def apply(self, objects: list[Any], complete: bool = True, drain: Drain | None = None, **settings: Any) -> Result:
        """Open a transaction, as the task with agentsmith.platform.apply does."""
        redactor = Redactor()
        run = DeployRun(
            self._settings(complete, {"minimum_kubernetes": "1.30", **settings}),
            redactor,
            self._transaction(complete),
            drain or self.drain,
        )
        return self._ended(run, redactor, objects, "")

    def commit(self, objects: list[Any], applied: Result, complete: bool = True, **settings: Any) -> Result:
        """End the transaction that apply() opened."""
        redactor = Redactor()
        holder = applied["transaction"]["holder"]
        changes = applied.get("objects", ())
        run = CommitRun(self._settings(complete, settings), redactor, self._transaction(complete), holder, changes)
        return self._ended(run, redactor, objects, holder)

    def restore(
        self,
        generation: str = CURRENT,
        holder: str = "",
        keep: bool = False,
        drain: Drain | None = None,
        failure: Failure = Failure(),  # noqa: B008  it is frozen
        revision: int = 0,
        **settings: Any,
    ) -> Result:
        """Bring a recorded release back: the current one to undo a deploy, which waits for no Job."""
        redactor = Redactor()
        drain = None if generation == CURRENT else drain or self.drain
        transaction = self._transaction(True, keep)
        run = RestoreRun(
            self._settings(True, settings), redactor, transaction, generation, holder, drain, failure, revision
        )
        return self._ended(run, redactor, [], holder)

    def deploy(self, objects: list[Any], complete: bool = True, drain: Drain | None = None, **settings: Any) -> Result:
        """Take all steps of a deploy that is verified well; return those that were taken, by name."""
        applied = self.apply(objects, complete, drain, **settings)
        if applied.get("failed"):
            if applied["transaction"]["started"]:
                holder = applied["transaction"]["holder"]
                failure = Failure(applied["objects"], applied["msg"])
                return {"apply": applied, "restore": self.restore(holder=holder, failure=failure, **settings)}
            return {"apply": applied}
        if not applied["transaction"]["opened"]:
            return {"apply": applied}
        return {"apply": applied, "commit": self.commit(objects, applied, complete, **settings)}

    def _settings(self, complete: bool, settings: dict[str, Any]) -> Settings:
        prune = self.owner if complete else None
        return Settings(**{"wait_timeout": 30, "prune": prune, **settings})

    def _transaction(self, complete: bool, keep: bool = False) -> Transaction:
        return Transaction(self.owner, complete, keep, self.lock, self.origin)

    def _ended(self, run: Run, redactor: Redactor, objects: list[Any], holder: str) -> Result:
        try:
            with Connection(self.options, in_contact=bool(holder)) as connection:
                run.execute(connection, objects)
        except ApplyError as error:
            return {**run.result(), **redactor.failure(error)}
        return run.result()
