# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the apply engine: from a list of objects to the result that the task returns."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..api.connection import CONCURRENCY, Connection
from ..api.discovery import Discovery
from ..api.wait_report import Say
from ..apply.adoption import plan_adoption
from ..apply.autoscalers import leave_replicas_to_autoscalers
from ..apply.execution import Execution, wait_until_gone
from ..apply.live_lists import Lists, by_identity, list_live
from ..apply.plan import plan_absent, plan_present, read_live
from ..apply.prune import filled_by, plan_prune
from ..apply.published_schemas import PublishedSchemas
from ..apply.write_permissions import Need, NotPermitted, ask, refusal
from ..conditions.wait import remarks, waits_for
from ..objects.errors import ApplyError
from ..objects.identity import Identity
from ..objects.kinds import kind_of_body
from ..objects.managed_fields import FIELD_MANAGER
from ..objects.namespace_origin import mark_created
from ..objects.normalisation import normalise_objects
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, awaits_release
from ..objects.pull_secrets import keep_others
from ..pods.rollout import wait_for_rollout
from ..secrets.redaction import Redactor
from ..secrets.secret_digest import SecretDigests, changed_keys
from .history import UNCHANGED


@dataclass(frozen=True)
class Settings:
    """How a run behaves. Times are seconds. ``prune``: whose objects go when they are no longer wanted. ``say``: shows
    what it waits for.
    """

    state: str = "present"
    wait: bool = True
    wait_timeout: float = 300
    force_conflicts: bool = False
    adopt: bool = False
    roll_on_secret_change: bool = True
    minimum_kubernetes: str | None = None
    prune: Owner | None = None
    check_mode: bool = False
    diff_mode: bool = False
    say: Say | None = None


@dataclass(frozen=True)
class Cluster:
    """What a run works with."""

    connection: Connection
    executor: Executor
    discovery: Discovery
    schemas: PublishedSchemas


@dataclass(frozen=True)
class Found:
    """What a run found in the cluster: lists of what is the release's, and the live objects that it states or reads."""

    lists: Lists
    live: dict[Identity, dict[str, Any] | None]

    @property
    def versions(self) -> dict[Identity, str | None]:
        """Which version of each object it was. If none has changed, neither has a plan."""
        return {identity: version_of(body) for identity, body in {**by_identity(self.lists), **self.live}.items()}


def version_of(body: Mapping[str, Any] | None) -> str | None:
    """Return the version of an object, None for one that is not there."""
    return body["metadata"].get("resourceVersion") if body else None


class Run:
    """A run over the objects of one release. ``result()`` may be asked for after a failure, too.

    :param redactor: learns the Secrets; every text that leaves the run is to go through it.
    """

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._planned: list[PlannedObject] = []
        self._surplus: list[PlannedObject] = []
        # Objects of earlier releases: what has become surplus may be of a kind that nothing desired is of.
        self._once_stated: list[dict[str, Any]] = []
        self._every_kind = False  # or of any kind
        self._stopped: list[PlannedObject] = []  # what filled objects that the release states itself from now on
        self._digests = SecretDigests([])
        self._warnings: list[str] = []
        self._requests = {"read": 0, "write": 0, "dry_run": 0}

    def execute(self, connection: Connection, objects: Sequence[Any]) -> None:
        """Bring the cluster of an open *connection* to the state that the objects describe.

        :raises ApplyError: with a text that is not masked yet.
        """
        bodies = normalise_objects(objects)
        self._redactor.learn(bodies)
        try:
            with ThreadPoolExecutor(CONCURRENCY) as executor:
                self._execute(connection, executor, bodies)
        finally:
            self._requests = connection.requests

    def result(self) -> dict[str, Any]:
        """Return what the task returns, masked."""
        # Of a failed run, what it did before it failed.
        done = [item for item in [*self._planned, *self._stopped, *self._surplus] if item.done]
        result: dict[str, Any] = {
            "changed": any(item.to_write for item in done),
            "objects": [self._entry(item) for item in done],
            "requests": self._requests,
        }
        warnings = [*self._ownership_warnings(), *dict.fromkeys(self._warnings)]
        if warnings:
            result["warnings"] = warnings
        if self._settings.diff_mode:
            # Of a change that may not be tried, nobody can say how it would come out
            known = [item for item in done if item.to_write and not (item.refused and item.live)]
            result["diff"] = [self._difference(item) for item in known]
        return self._redactor.tree(result)

    def result_of_failure(self) -> dict[str, Any]:
        """Return what a task that failed returns beside its message. Ansible shows it: only what was changed counts."""
        result = self.result()
        return {**result, "objects": [entry for entry in result["objects"] if entry["result"] not in UNCHANGED]}

    def _execute(self, connection: Connection, executor: Executor, bodies: list[dict[str, Any]]) -> None:
        settings = self._settings
        discovery = Discovery.ask(connection, executor, [body["apiVersion"] for body in bodies])
        discovery.require_version(settings.minimum_kubernetes)
        cluster = Cluster(connection, executor, discovery, PublishedSchemas(connection, executor))
        self._execution = Execution(connection, executor, settings.check_mode, settings.force_conflicts)
        try:
            if settings.state == "absent":
                self._remove(cluster, bodies)
            else:
                self._bring(cluster, bodies)
        finally:
            self._warnings += self._execution.warnings

    def _bring(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        """Make the cluster have what *bodies* describe."""
        self._plan_present(cluster, bodies)
        self._before_writes(cluster)
        if self._stop_fillers(cluster):
            self._plan_present(cluster, bodies)
        self._execution.apply(self._planned, self._before_wave)
        self._wait_for_rollout(cluster)
        self._delete_surplus(cluster)

    def _stop_fillers(self, cluster: Cluster) -> bool:
        """Delete first what would overwrite an object that is about to be written: a Certificate that is to go.

        Return whether there was one: the plan is then out of date.
        """
        if self._settings.check_mode:
            return False
        # Among those that are wanted, what a run that died has left
        left = [
            PlannedObject(item.desired, item.path, item.live, "deleted", fills=filled_by(item.live))
            for item in self._planned
            if item.live and awaits_release(item.live)
        ]
        fillers = [*left, *(item for item in self._surplus if item.fills in self._returning)]
        self._execution.delete(fillers)
        self._wait_until_gone(cluster, fillers)
        self._stopped += fillers
        return bool(fillers)

    @property
    def _returning(self) -> set[Identity]:
        """The Secrets that the release states, and that Certificates which are to go have filled."""
        wanted = {item.identity for item in self._planned}
        return {item.fills for item in [*self._stopped, *self._surplus] if item.fills} & wanted

    def _before_writes(self, cluster: Cluster) -> None:
        """Look at the plan. What raises here is raised before the first write."""

    def _check_permissions(
        self, cluster: Cluster, namespace: str, needs: Sequence[Need], changed: str = "Nothing was changed."
    ) -> None:
        """Refuse what the API server would refuse half way. A preview warns instead, and tries nothing of it: who may
        only read may ask what a deploy would change.

        :param changed: what the run has done so far.
        :raises NotPermitted: with all that lacks.
        """
        answer = ask(cluster.connection, cluster.executor, namespace, needs)
        if answer.unknown:
            self._warnings.append(f"Could not check whether you may write what this run writes: {answer.unknown}")
        if not answer.missing:
            return
        text = refusal(answer.missing, namespace)
        if not self._settings.check_mode:
            raise NotPermitted(f"{text} {changed}")
        self._warnings.append(f"A real run would be refused. {text}")
        refused = {need.subject for need in answer.missing}
        for item in self._planned:
            item.refused = item.identity in refused

    def _remove(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> None:
        self._planned = plan_absent(cluster.connection, cluster.executor, cluster.discovery, bodies)
        self._redactor.learn(item.live for item in self._planned)
        self._execution.delete(self._planned)
        self._wait_until_gone(cluster, self._planned)

    def _look(self, cluster: Cluster, bodies: list[dict[str, Any]]) -> Found:
        """Read the objects as they are now."""
        connection, executor, discovery = cluster.connection, cluster.executor, cluster.discovery
        prune = self._settings.prune
        lists = list_live(connection, executor, discovery, prune, bodies) if prune else {}
        live = read_live(connection, executor, discovery, bodies, self._digests.elsewhere, lists)
        # The values that are about to go, too: a pod may still log them.
        self._redactor.learn(live.values())
        return Found(lists, live)

    def _plan_present(self, cluster: Cluster, bodies: list[dict[str, Any]], found: Found | None = None) -> Found:
        """Find what is to be done.

        :param found: what was read a moment ago, None to read it.
        :return: what the plan was made from.
        """
        self._digests = SecretDigests(bodies if self._settings.roll_on_secret_change else [])
        found = found or self._look(cluster, bodies)
        mark_created(bodies, found.live)
        keep_others(bodies, found.live)
        leave_replicas_to_autoscalers(cluster.connection, bodies, found.live)
        self._digests.learn(found.live)
        self._digests.stamp()
        self._planned = plan_present(
            cluster.connection, cluster.executor, cluster.discovery, bodies, found.live, cluster.schemas
        )
        self._plan_prune(cluster, bodies, found.lists)
        if not self._settings.force_conflicts:
            self._plan_adoption(cluster)
        missing = self._digests.missing()
        if missing and not self._settings.check_mode:
            advice = "Create the Secret first, add it to the objects, or mark the reference optional."
            raise ApplyError("\n".join([*missing, f"{advice} Nothing was changed."]))
        # Of a preview it is no fault: an earlier task of the same play may be about to make the Secret.
        self._warnings += missing
        return found

    def _plan_adoption(self, cluster: Cluster) -> None:
        """Refuse to take fields from others unasked; otherwise say what is taken, before the first write."""
        connection, executor, adopt = cluster.connection, cluster.executor, self._settings.adopt
        preview = plan_adoption(connection, executor, cluster.discovery, self._planned, adopt, self._returning)
        if not preview or preview in self._warnings:
            return
        self._warnings.append(preview)
        if self._settings.say and not self._settings.check_mode:
            self._settings.say(preview)

    def _plan_prune(self, cluster: Cluster, bodies: list[dict[str, Any]], lists: Lists | None = None) -> None:
        if self._settings.prune:
            self._surplus, warnings = plan_prune(
                cluster.connection,
                cluster.executor,
                cluster.discovery,
                self._settings.prune,
                bodies,
                self._once_stated,
                self._every_kind,
                lists,
            )
            self._redactor.learn(item.live for item in self._surplus)
            self._warnings += warnings

    def _delete_surplus(self, cluster: Cluster) -> None:
        """Delete last what is no longer wanted: until the new objects work, the old ones may still be in use."""
        self._execution.delete(self._surplus)
        self._wait_until_gone(cluster, self._surplus)

    def _wait_for_rollout(self, cluster: Cluster) -> None:
        if not self._settings.wait or self._settings.check_mode:
            return
        served = [item for item in self._planned if kind_of_body(item.desired).is_served]
        # What one of them is changed to may be why another is refused
        is_changed = not all(map(self._is_proven, served))
        others = waits_for(cluster.connection, served) if is_changed else []
        timeout, say = self._settings.wait_timeout, self._settings.say
        try:
            wait_for_rollout(cluster.connection, cluster.executor, self._planned, timeout, say=say, others=others)
        finally:
            self._warnings += remarks([] if is_changed else served)
            self._warnings += [wait.warning for wait in others if wait.warning]

    def _is_proven(self, item: PlannedObject) -> bool:
        """Tell whether an object has worked as it is, so that the run is not to blame if it does not."""
        return item.result == "unchanged"

    def _wait_until_gone(self, cluster: Cluster, planned: Sequence[PlannedObject]) -> None:
        if self._settings.wait and not self._settings.check_mode:
            wait_until_gone(cluster.connection, cluster.executor, planned, self._settings.wait_timeout)

    def _before_wave(self, wave: Sequence[PlannedObject]) -> None:
        """Prepare the next wave of writes, or raise instead."""
        self._stamp_pending(wave)

    def _stamp_pending(self, wave: Sequence[PlannedObject]) -> None:
        """Complete the workloads of a wave with the UIDs of the Secrets that an earlier wave has created."""
        if self._settings.check_mode:
            return
        created = {item.identity: item.after for item in self._planned if item.identity.kind == "Secret" and item.after}
        for item in wave:
            self._digests.stamp_pending(item.identity, created)

    def _ownership_warnings(self) -> list[str]:
        done = "would be" if self._settings.check_mode else "was"
        warnings = [
            f"{item.identity}: {field} {done} taken over from field manager {owner['manager']}."
            for item in self._planned
            if not item.taken_from  # which the preview has told
            for owner in item.former_owners
            for field in owner["fields"]
        ]
        warnings += [
            f"{item.identity}: client-side kubectl apply had left a copy of the object in an annotation, which {done} "
            f"removed. Change the object only through {FIELD_MANAGER}."
            for item in self._planned
            if item.strip_last_applied and item.done
        ]
        return warnings

    def _difference(self, item: PlannedObject) -> dict[str, str]:
        if item.result == "deleted":
            return self._redactor.difference(item.identity, item.live, None)
        # Of a new object, what is stated: the defaults that the server adds are no news.
        after = item.after if item.live else item.desired
        return self._redactor.difference(item.identity, item.live, after)

    def _entry(self, item: PlannedObject) -> dict[str, Any]:
        identity: Identity = item.identity
        entry: dict[str, Any] = {
            "kind": identity.kind,
            "namespace": identity.namespace or None,
            "name": identity.name,
            "result": item.result,
            "fields": item.fields,
        }
        if item.former_owners:
            entry["former_owners"] = item.former_owners
        if item.strip_last_applied and item.result == "updated":
            entry["last_applied_removed"] = True
        if identity.kind == "Secret" and item.result == "updated" and not item.handed_over:
            entry["changed_keys"] = changed_keys(item.desired, item.live)
        secret_keys = self._digests.keys_read(identity)
        if secret_keys:
            entry["secret_keys"] = secret_keys
        return entry
