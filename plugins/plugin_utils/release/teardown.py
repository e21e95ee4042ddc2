# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a release: what carries its labels, the Jobs that its Dispatcher spawned, and a namespace that it made."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ..api.connection import CONCURRENCY, Connection
from ..api.discovery import Discovery
from ..api.wait_report import Say, WaitReport
from ..apply import write_permissions
from ..apply.execution import POLL_PAUSE, Execution, wait_until_gone
from ..apply.owned_objects import Found, find_owned
from ..apply.write_permissions import Need, Permission
from ..objects.errors import ApplyError, ConnectionFailed
from ..objects.identity import Identity
from ..objects.kinds import CERTIFICATE, RENDERED_KINDS, kind_of_body
from ..objects.labels import is_engines
from ..objects.owner import Owner
from ..objects.planned_object import PlannedObject, awaits_release, is_going
from ..pods.spawned_jobs import SELECTOR, is_running, read_spawned_jobs
from ..secrets.redaction import Redactor
from ..text.counted import counted
from ..text.text_table import aligned
from .history import FAILED, SUCCEEDED, TEARDOWN, Account, Entry, Origin
from .issued_secrets import claim, find_issued
from .lock import LeaseLost, LockSettings, ReleaseLease, give_back, given_back_on_failure, new_holder
from .namespace_removal import ABSENT, DELETED, KEPT, ReleaseNamespace
from .record import ReleaseRecord, Releases

WAIT, KILL, REFUSE = "wait", "kill", "refuse"
KEEP, DELETE = "keep", "delete"


@dataclass(frozen=True)
class TeardownSettings:
    """``jobs``: what becomes of running Jobs, WAIT, KILL or REFUSE. ``issued_secrets``: what becomes of the Secrets
    that cert-manager has filled for Certificates of the release, KEEP or DELETE. ``history``: what becomes of the
    history of the release, the same, in a namespace that stays. Timeouts are seconds.

    ``say``: shows what it waits for.
    """

    jobs: str = REFUSE
    jobs_timeout: float = 1800
    timeout: float = 300
    issued_secrets: str = KEEP
    history: str = KEEP
    origin: Origin = Origin()
    lock: LockSettings = LockSettings()
    check_mode: bool = False
    say: Say | None = None


class Teardown:
    """One teardown. ``result()`` may be asked for after a failure, too.

    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        connection: Connection,
        owner: Owner,
        settings: TeardownSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._owner = owner
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._deleted: list[PlannedObject] = []
        self._namespace: ReleaseNamespace | None = None
        self._pods_left: int | None = None
        self._not_looked_at: list[str] = []
        self._issued: list[dict[str, Any]] = []
        self._warnings: list[str] = []
        self._record = ReleaseRecord(connection, owner)
        self._history_stays = False
        self._holder = new_holder()
        self._entry: Entry | None = None

    def execute(self) -> None:
        """Remove the release. Killed at any point, it is completed by the next one.

        :raises ApplyError: when a Job runs that may not be killed, when an object may not be deleted, or does not go.
        """
        with ThreadPoolExecutor(CONCURRENCY) as executor:
            discovery = Discovery.ask(self._connection, executor, [])
            found = self._find(executor, discovery)
            self._check_rights(discovery, found)
            self._namespace = ReleaseNamespace.read(self._connection, self._owner)
            self._issued = find_issued(self._connection, executor, discovery, self._owner, found.objects)
            doomed = self._issued if self._settings.issued_secrets == DELETE else []
            self._check_permissions(executor, discovery, [*found.objects, *doomed])
            jobs_end = self._clock() + self._settings.jobs_timeout
            self._settle_jobs(jobs_end, refuse=self._settings.jobs == REFUSE)
            with self._locked(self._namespace, bool(found.objects or self._jobs())):
                if not self._settings.check_mode:
                    claim(self._connection, self._owner, doomed)
                    doomed = []  # the look finds them now
                objects = doomed + self._find(executor, discovery).objects
                with self._told_if_it_fails():
                    self._delete_release(executor, discovery, objects, jobs_end)
            # The history is nobody else's, also if an earlier teardown has left it
            going = {self._record.identity, *(item.identity for item in self._deleted)}
            self._namespace.remove(executor, discovery, going, self._settings.timeout, self._settings.check_mode)

    def result(self) -> dict[str, Any]:
        """Return what the task returns. It has no value of a Secret."""
        namespace = self._namespace
        removes = any(item.to_write and item.done for item in self._deleted) or bool(namespace and namespace.changed)
        result: dict[str, Any] = {
            "changed": removes,
            "removes": removes,
            "objects": [
                {
                    "kind": item.identity.kind,
                    "namespace": item.identity.namespace or None,
                    "name": item.identity.name,
                    "result": item.result,
                }
                for item in self._deleted
                if item.done
            ],
            "pods_left": self._pods_left,
            "not_looked_at": self._not_looked_at,
            "issued_secrets": [live["metadata"]["name"] for live in self._issued],
            "entry": self._entry.as_dict() if self._entry else None,
        }
        if self._warnings:
            result["warnings"] = self._warnings
        if namespace:
            result["namespace"] = namespace.as_dict()
        return {**result, "text": self._text(result)}

    def _text(self, result: dict[str, Any]) -> str:
        """Say the same for people."""
        rows = [[f"{entry['kind']} {entry['name']}", self._told(entry["result"])] for entry in result["objects"]]
        lines = aligned([["OBJECT", "RESULT"], *rows]) if rows else ["Nothing of the release is there."]
        if "namespace" in result:
            namespace = result["namespace"]
            lines += ["", f"Namespace {namespace['name']}: {self._told(namespace['result'])}, {namespace['reason']}."]
            lines += [f"    {name}" for name in namespace["foreign"]]
        if result["pods_left"] is not None:
            lines.append(f"Pods left: {result['pods_left']}")
        if result["issued_secrets"] and self._settings.issued_secrets == KEEP:
            lines.append(
                f"Secrets that stay: {', '.join(result['issued_secrets'])}. cert-manager has filled them for this "
                "release, and they hold private keys. To delete them, too: -e teardown_issued_secrets=delete."
            )
        if self._history_stays and result["namespace"]["result"] != DELETED:
            lines.append(
                f"The history of the release stays in the Secret {self._record.identity.name}, without any value. To "
                "delete it, too: -e teardown_history=delete."
            )
        if self._not_looked_at:
            lines.append(f"Objects of these kinds cannot be listed: {', '.join(self._not_looked_at)}.")
        return "\n".join(lines)

    def _told(self, result: str) -> str:
        """Say what became of an object, or what would: what is gone or stays is so in a preview, too."""
        return f"would be {result}" if self._settings.check_mode and result not in (KEPT, ABSENT) else result

    def _find(self, executor: Executor, discovery: Discovery) -> Found:
        """Return what carries the labels of the release; but not its lock, which ends with the run that holds it."""
        found = find_owned(self._connection, executor, discovery, self._owner, kinds=None)
        if found.broken and (needed := self._stated_kinds() & set(found.broken)):
            # Without a second, patient look, or if that fails too, they would stay behind
            found.objects += find_owned(self._connection, executor, discovery, self._owner, needed, needed).objects
            found.broken = {key: reason for key, reason in found.broken.items() if key not in needed}
        found.objects = [live for live in found.objects if not (is_engines(live) and live["kind"] == "Lease")]
        return found

    def _stated_kinds(self) -> set[tuple[str, str]]:
        """Return the kinds, by group and name, that the recorded releases have; of an unrecorded one, all it can have.

        The values of Secrets in the record go no further.
        """
        try:
            recorded = self._record.read().bodies()
        except ConnectionFailed:
            raise
        except ApplyError:
            recorded = []
        return {(body.group, body.kind) for body in map(Identity.of, recorded)} or set(RENDERED_KINDS)

    @contextmanager
    def _locked(self, namespace: ReleaseNamespace, to_do: bool) -> Iterator[None]:
        """Hold the lock of the release, so that no deploy brings anew what is being removed.

        A namespace that is not there, or going, takes no lock and no deploy either.
        """
        lease = self._lease()
        # A lock that is there is held by a deploy, or was left by a run that died.
        if self._settings.check_mode or not namespace.is_usable or not (to_do or lease.find()):
            yield
            return
        with given_back_on_failure(lease, self._warnings), lease.kept():
            yield
            lease.check()
        self._warnings += give_back(lease)

    def _check_rights(self, discovery: Discovery, found: Found) -> None:
        """Refuse to leave behind what cannot be seen: all kinds that a release has in its namespace."""
        needed = {
            (group, kind)
            for (group, kind), (_version, resource) in discovery.kinds().items()
            if resource.namespaced and (group, kind) in RENDERED_KINDS
        }
        blind = sorted(kind for _group, kind in needed & set(found.denied))
        if blind:
            raise ApplyError(
                f"Objects of these kinds cannot be listed in the namespace {self._owner.namespace}: "
                f"{', '.join(blind)}. So a teardown could leave some behind. Nothing was changed. Grant the right to "
                "list them, or ask somebody who has it to tear down."
            )
        self._not_looked_at = found.unseen

    def _check_permissions(self, executor: Executor, discovery: Discovery, found: Sequence[dict[str, Any]]) -> None:
        """Refuse what the API server would refuse half way. A preview warns: who may only read may look."""
        bodies = [live for live in [*found, *self._jobs()] if not is_going(live)]
        needs = [*write_permissions.needs_of_deletion(discovery, bodies), *self._lease().needs()] if bodies else []
        if self._settings.history == KEEP and any(map(self._is_record, bodies)):
            identity = self._record.identity
            needs.append(Need(Permission.on("patch", identity, "secrets"), identity, ", to leave its history"))
        issued = map(Identity.of, self._issued if self._settings.issued_secrets == DELETE else [])
        needs += [Need(Permission.on("patch", secret, "secrets"), secret, ", to mark it") for secret in issued]
        about_namespace = self._namespace.needs() if self._namespace else []
        if not needs and not about_namespace:
            return
        answer = write_permissions.ask(self._connection, executor, self._owner.namespace, [*needs, *about_namespace])
        # Its owner can remove it; that is no reason to leave the release there
        if self._namespace:
            self._namespace.untouchable = any(need in about_namespace for need in answer.missing)
        answer.missing = [need for need in answer.missing if need not in about_namespace]
        if answer.unknown:
            self._warnings.append(f"Could not check whether you may delete these objects: {answer.unknown}")
        if not answer.missing:
            return
        text = write_permissions.refusal(answer.missing, self._owner.namespace)
        if not self._settings.check_mode:
            raise write_permissions.NotPermitted(f"{text} Nothing was changed.")
        self._warnings.append(f"A real run would be refused. {text}")

    def _lease(self) -> ReleaseLease:
        settings = self._settings
        return ReleaseLease(
            self._connection, self._owner, self._holder, settings.lock, self._clock, self._sleep, settings.say
        )

    def _settle_jobs(self, end: float, refuse: bool) -> None:
        """See to it that no Job runs that must not be killed."""
        if self._settings.jobs == KILL:
            return
        report = WaitReport(self._settings.say, self._clock)
        while running := [job for job in self._jobs() if is_running(job)]:
            names = ", ".join(job["metadata"]["name"] for job in running)
            if refuse:
                raise ApplyError(
                    f"{counted(len(running), 'Job runs', 'Jobs run')} in the namespace {self._owner.namespace}: "
                    f"{names}. Nothing was changed. To wait: teardown_jobs=wait. To give up the work: "
                    "teardown_jobs=kill."
                )
            if self._settings.check_mode:
                return
            if self._clock() >= end:
                raise ApplyError(
                    f"{counted(len(running), 'Job still runs', 'Jobs still run')} after "
                    f"{self._settings.jobs_timeout:g} s (teardown_jobs_timeout): {names}. None was stopped. Run again, "
                    "or give up the work with teardown_jobs=kill."
                )
            report.tell(f"Waiting for {counted(len(running), 'Job')}: {names}")
            self._sleep(POLL_PAUSE)

    def _jobs(self) -> list[dict[str, Any]]:
        return read_spawned_jobs(self._connection, self._owner.namespace)

    def _delete_release(
        self, executor: Executor, discovery: Discovery, objects: Sequence[dict[str, Any]], jobs_end: float
    ) -> None:
        """Delete all of the release, its record last: until then the next run finds that there is something to do."""
        records = [live for live in objects if self._is_record(live)]
        self._delete(executor, discovery, [live for live in objects if live not in records], jobs_end)
        if not self._settings.check_mode:
            self._await_no_pods()
        for live in records:
            self._end_record(executor, discovery, live)

    def _delete(
        self, executor: Executor, discovery: Discovery, objects: Sequence[dict[str, Any]], jobs_end: float
    ) -> None:
        """Delete what has pods, then spawned Jobs, then the rest: no pod shall start or end without its guards."""
        first = [live for live in objects if kind_of_body(live).has_pods]
        rest = [live for live in objects if not kind_of_body(live).has_pods]
        self._delete_all(executor, discovery, first)
        # A Job that was spawned while we looked.
        self._settle_jobs(jobs_end, refuse=False)
        self._delete_all(executor, discovery, self._jobs())
        if not self._settings.check_mode:
            self._await_no_pods()
        # cert-manager would fill a Secret again while there is its Certificate
        issuing = [live for live in rest if kind_of_body(live).key == CERTIFICATE]
        self._delete_all(executor, discovery, issuing)
        self._delete_all(executor, discovery, [live for live in rest if live not in issuing])

    def _delete_all(self, executor: Executor, discovery: Discovery, objects: Sequence[dict[str, Any]]) -> None:
        planned = [
            PlannedObject(live, path, live, "absent" if going else "deleted", done=going)
            for live in objects
            for path in [discovery.path(Identity.of(live))]
            for going in [is_going(live) and not awaits_release(live)]
        ]
        self._deleted += planned
        Execution(self._connection, executor, self._settings.check_mode).delete(planned)
        if not self._settings.check_mode:
            wait_until_gone(self._connection, executor, planned, self._settings.timeout, self._clock, self._sleep)

    def _is_record(self, live: dict[str, Any]) -> bool:
        return is_engines(live) and Identity.of(live) == self._record.identity

    def _end_record(self, executor: Executor, discovery: Discovery, live: dict[str, Any]) -> None:
        """Delete the record of the release, or leave the history of it alone, with an entry of this teardown."""
        releases = self._read_record() if self._settings.history == KEEP else None
        if releases is None:
            self._delete_all(executor, discovery, [live])
            return
        item = PlannedObject(live, discovery.path(Identity.of(live)), live, "updated")
        self._deleted.append(item)
        self._history_stays = True
        if not self._settings.check_mode:
            history = replace(releases.history, current=0, previous=0)
            gone = replace(releases, current=None, previous=None, history=history)
            told, entry = gone.told(self._account(releases), SUCCEEDED, releases.history.next_revision)
            self._record.leave(told.history)
            self._entry = entry
        item.done = True

    @contextmanager
    def _told_if_it_fails(self) -> Iterator[None]:
        """Have the history tell of a teardown that has failed after it deleted something."""
        try:
            yield
        except (ConnectionFailed, LeaseLost):
            raise
        except ApplyError as error:
            if not self._settings.check_mode and any(item.done and item.to_write for item in self._deleted):
                self._note_failure(error)
            raise

    def _note_failure(self, error: ApplyError) -> None:
        try:
            releases = self._record.read()
            if not releases.bodies():
                return  # nothing was recorded, or it is gone already
            told, entry = releases.told(self._account(releases, error), FAILED, releases.history.next_revision)
            self._record.note(told)
            self._entry = entry
        except ApplyError as refused:
            self._warnings.append(f"The history does not tell of this run: {refused}")

    def _read_record(self) -> Releases | None:
        try:
            return self._record.read()
        except ConnectionFailed:
            raise
        except ApplyError as error:
            self._warnings.append(f"The history of the release cannot be kept: {error}")
            return None

    def _account(self, releases: Releases, error: ApplyError | None = None) -> Account:
        redactor = Redactor()
        redactor.learn(releases.bodies())
        changes, cause = self.result()["objects"], str(error or "")
        return Account(TEARDOWN, self._settings.origin, self._holder, changes, redactor.text, cause)

    def _await_no_pods(self) -> None:
        """Wait until no pod of the release is left: neither of its own workloads nor of a spawned Job.

        :raises ApplyError: naming those that are still there.
        """
        end = self._clock() + self._settings.timeout
        report = WaitReport(self._settings.say, self._clock)
        while pods := self._pods():
            self._pods_left = len(pods)
            if self._clock() >= end:
                texts = [f"{pod['metadata']['name']} on {pod['spec'].get('nodeName') or 'no node'}" for pod in pods]
                raise ApplyError(
                    f"{counted(len(pods), 'pod is', 'pods are')} still there after {self._settings.timeout:g} s "
                    f"(teardown_timeout): {', '.join(texts)}. Check that the nodes answer, and run again."
                )
            report.tell(f"Waiting until {counted(len(pods), 'pod is', 'pods are')} gone")
            self._sleep(POLL_PAUSE)
        self._pods_left = 0

    def _pods(self) -> list[dict[str, Any]]:
        path = f"/api/v1/namespaces/{self._owner.namespace}/pods"
        found = {
            pod["metadata"]["uid"]: pod
            for selector in (self._owner.selector, SELECTOR)
            for pod in self._connection.get(path, {"labelSelector": selector}).body["items"]
        }
        return list(found.values())
