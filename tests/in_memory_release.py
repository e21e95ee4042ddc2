# SPDX-License-Identifier: GPL-3.0-or-later
"""A release on a cluster in memory, for tests of the runs that deploy, record and restore it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.commit import CommitRun
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.deploy import DeployRun, Transaction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.drain import Drain
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.history import Origin
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LeaseLost, LockSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import CURRENT, ReleaseRecord, Releases
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.restore import Failure, RestoreRun
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.run import Run, Settings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from in_memory_cluster import InMemoryCluster

LABELS = {"app.kubernetes.io/managed-by": "agentsmith.platform", "app.kubernetes.io/instance": "agentsmith"}
OWNER = Owner("n", "agentsmith")
NAMESPACE = "/api/v1/namespaces/n"
SECRET = f"{NAMESPACE}/secrets/agentsmith-secrets"
CONFIG_MAP = f"{NAMESPACE}/configmaps/agentsmith-config"
ADDED = f"{NAMESPACE}/configmaps/added"
DISPATCHER = "/apis/apps/v1/namespaces/n/deployments/agentsmith-dispatcher"
JOBS = "/apis/batch/v1/namespaces/n/jobs"
RECORD = f"{NAMESPACE}/secrets/agentsmith-release"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/n/leases"
LEASE = f"{LEASES}/agentsmith-release"

Objects = list[dict[str, Any]]
AnyRun = TypeVar("AnyRun", bound=Run)


def an_object(api_version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
    """Return an object of the release."""
    metadata = {"name": name, "labels": LABELS, **({} if kind == "Namespace" else {"namespace": "n"})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def a_release(image: str = "app:1", *added: str) -> Objects:
    """Return a release: a namespace, a Secret, a ConfigMap, the Dispatcher of *image*, and more ConfigMaps."""
    pod = {"containers": [{"name": "dispatcher", "image": image}]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {}, "spec": pod}}
    return [
        an_object("v1", "Namespace", "n"),
        an_object("v1", "Secret", "agentsmith-secrets", stringData={"github-token": f"MARKED-{image}"}),
        an_object("v1", "ConfigMap", "agentsmith-config", data={"agentsmith.yml": image}),
        an_object("apps/v1", "Deployment", "agentsmith-dispatcher", spec=spec),
        *(an_object("v1", "ConfigMap", name, data={}) for name in added),
    ]


@dataclass
class InMemoryRelease:
    """Runs on a cluster. Each is executed and returned; ``last`` is the last one, also where it raised.

    ``origin``: why the next runs are started, and from where.
    """

    cluster: InMemoryCluster = field(default_factory=InMemoryCluster)
    lock: LockSettings = field(default_factory=lambda: LockSettings(duration=60, timeout=0))
    last: Any = None
    origin: Origin = field(default_factory=Origin)

    def apply(
        self, objects: Objects, complete: bool = True, drain: Drain | None = None, keep: bool = False, **settings: Any
    ) -> DeployRun:
        """Open a transaction."""
        transaction = Transaction(OWNER, complete, keep, self.lock, self.origin)
        return self._run(lambda given: DeployRun(given, Redactor(), transaction, drain), objects, complete, settings)

    def commit(
        self,
        objects: Objects,
        holder: str,
        complete: bool = True,
        applied: Sequence[dict[str, Any]] = (),
        **settings: Any,
    ) -> CommitRun:
        """End it well."""
        transaction = Transaction(OWNER, complete, lock=self.lock, origin=self.origin)
        return self._run(
            lambda given: CommitRun(given, Redactor(), transaction, holder, applied), objects, complete, settings
        )

    def deploy(self, objects: Objects, complete: bool = True) -> CommitRun:
        """Do both, and forget the requests."""
        opened = self.apply(objects, complete)
        ended = self.commit(objects, opened.holder, complete, opened.result()["objects"])
        self.cluster.log.clear()
        return ended

    def restore(
        self,
        generation: str = CURRENT,
        holder: str = "",
        keep: bool = False,
        drain: Drain | None = None,
        failure: Failure = Failure(),  # noqa: B008  it is frozen
        revision: int = 0,
        **settings: Any,
    ) -> RestoreRun:
        """Go back."""
        transaction = Transaction(OWNER, True, keep, self.lock, self.origin)
        return self._run(
            lambda given: RestoreRun(given, Redactor(), transaction, generation, holder, drain, failure, revision),
            [],
            True,
            settings,
        )

    def tear_down(self, **settings: Any) -> Teardown:
        """Remove the release."""
        self.last = Teardown(self.cluster, OWNER, TeardownSettings(**settings))  # type: ignore[arg-type]
        self.last.execute()
        return self.last

    def recorded(self) -> Releases:
        """Return what the record holds."""
        return ReleaseRecord(self.cluster, OWNER).read()  # type: ignore[arg-type]

    def image(self) -> str:
        """Return the image that the Dispatcher has."""
        return str(self.cluster.objects[DISPATCHER]["spec"]["template"]["spec"]["containers"][0]["image"])

    def leave_a_lock_behind(self, holder: str) -> None:
        """Let the lock be there as *holder* left it, and let the next runs wait for as long as it lasts."""
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 0.01}
        self.cluster.objects[LEASE] = {"metadata": {"resourceVersion": "left", "uid": "left"}, "spec": spec}
        self.lock = LockSettings(duration=60, timeout=60)

    def pass_the_lock_on(self, holder: str) -> None:
        """Let another run hold the lock, and let the one at work find that out at its next renewal, which is now."""
        lease = self.cluster.objects[LEASE]
        lease["metadata"]["resourceVersion"], lease["spec"]["holderIdentity"] = "another", holder
        with suppress(LeaseLost):
            self.last._lease.renew()

    def add_job(self) -> None:
        """Let a Job of the Dispatcher run, and the pod that listens to it."""
        labels, created = {"app": "agentsmith", "job-id": "1"}, "2026-01-01T00:00:00Z"
        metadata = {"name": "agentsmith-1", "labels": labels, "uid": "job", "creationTimestamp": created}
        self.cluster.objects[f"{JOBS}/agentsmith-1"] = {"kind": "Job", "metadata": metadata}
        spec = self.cluster.objects[DISPATCHER]["spec"]
        pod = {"metadata": {"name": "p", "labels": spec["selector"]["matchLabels"]}, "spec": spec["template"]["spec"]}
        self.cluster.objects[f"{NAMESPACE}/pods/p"] = {"kind": "Pod", **pod}

    def _run(
        self, of: Callable[[Settings], AnyRun], objects: Objects, complete: bool, settings: dict[str, Any]
    ) -> AnyRun:
        run = of(Settings(**{"wait_timeout": 0, "prune": OWNER if complete else None, **settings}))
        self.last = run
        run.execute(self.cluster, objects)
        return run
