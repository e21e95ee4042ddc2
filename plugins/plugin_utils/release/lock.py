# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a release: a Lease in its namespace, held by one run at a time.

It is an object of Kubernetes' own kind (https://kubernetes.io/docs/concepts/architecture/leases/). It exists only while
a run holds it, so what is there is held, or was left behind by a run that died. Nobody compares clocks: who waits takes
it over when its holder has not renewed it for as long as it lasts, measured by the waiter's own clock.
"""

import getpass
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..api.connection import Connection
from ..api.wait_report import Say, WaitReport
from ..apply.write_permissions import Need, Permission
from ..objects.errors import ApiError, ApplyError
from ..objects.identity import Identity
from ..objects.owner import Owner

POLL_PAUSE = 0.5  # seconds between two looks of a waiter
RENEWALS = 3  # as often is a lease renewed in the time that it lasts


class LeaseLost(ApplyError):
    """Another run holds the lock now, or somebody deleted it."""


@dataclass(frozen=True)
class LockSettings:
    """``duration``: seconds after which a lock counts as left behind; ``timeout``: seconds to wait for another run."""

    duration: int = 60
    timeout: float = 120


def new_holder() -> str:
    """Return who a new run is: user, host, and a number that tells runs of one user apart."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} run {secrets.token_hex(4)}"


class ReleaseLease:
    """The lock of the release of *owner*, as *holder* sees it.

    ``predecessor``: who died holding the lock, when it was taken over; empty otherwise.
    """

    def __init__(
        self,
        connection: Connection,
        owner: Owner,
        holder: str,
        settings: LockSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        say: Say | None = None,
    ) -> None:
        self.holder = holder
        self.predecessor = ""
        self._connection = connection
        self._owner = owner
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._say = say
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{owner.namespace}/leases"
        self._path = f"{self._collection}/{self.name}"
        self._live: dict[str, Any] = {}
        self._lost = ""
        self._guard = threading.Lock()

    @property
    def name(self) -> str:
        """The name of the Lease, and of the record of the release."""
        return f"{self._owner.instance}-release"

    @property
    def was_left_behind(self) -> bool:
        """Tell whether the lock that we hold was taken over from a run that died."""
        return bool(self._live["spec"].get("leaseTransitions"))

    def needs(self) -> list[Need]:
        """Return what it takes to hold the lock."""
        verbs = ("create", "get", "update", "delete")
        group, space = "coordination.k8s.io", self._owner.namespace
        # The name of what is created is not known to the API server when it asks
        names = ["" if verb == "create" else self.name for verb in verbs]
        lease = Identity(f"{group}/v1", "Lease", space, self.name)
        return [
            Need(Permission(verb, group, "leases", space, name), lease, ", the lock")
            for verb, name in zip(verbs, names, strict=True)
        ]

    def find(self) -> dict[str, Any] | None:
        """Read the Lease; None while nobody holds the lock. None, too, where it may not be read."""
        try:
            return self._connection.find(self._path)
        except ApiError as error:
            if error.status == 403:
                return None  # whoever has something to write is told when the lock is taken
            raise

    def acquire(self, so_far: str = "Nothing was changed.") -> None:
        """Take the lock, wait for it, or take it over from a run that died. One that we hold already is renewed.

        :param so_far: what the message about another run's lock says of this one.
        :raises ApplyError: when another run keeps it, naming who and since when; or when we may not lock.
        """
        deadline = self._clock() + self._settings.timeout
        seen, seen_at = "", 0.0
        report = WaitReport(self._say, self._clock)
        while True:
            live = self._read()
            spec = live["spec"] if live else {}
            if spec.get("holderIdentity") != self.holder:
                self.predecessor = spec.get("holderIdentity") or ""
            if live is None:
                if self._write("POST", self._collection, self._body(None)):
                    return
                continue  # somebody was quicker, or our own first attempt got through and its answer was lost
            now = self._clock()
            if live["metadata"]["resourceVersion"] != seen:
                seen, seen_at = live["metadata"]["resourceVersion"], now
            expired = now - seen_at >= (spec.get("leaseDurationSeconds") or self._settings.duration)
            if expired or spec.get("holderIdentity") in (None, "", self.holder):
                if self._write("PUT", self._path, self._body(live)):
                    return
                continue
            if now >= deadline:
                raise ApplyError(self._held_text(spec, so_far))
            report.tell(f"Waiting for the lock of the release; its holder is {spec['holderIdentity']} holds")
            self._sleep(POLL_PAUSE)

    def adopt(self) -> None:
        """Go on with the lock that an earlier task of this run has taken.

        :raises LeaseLost: when it has passed to another run.
        """
        live = self._read()
        if live is None or live["spec"].get("holderIdentity") != self.holder:
            raise self._lose(live)
        self._live = live
        self.renew()

    def renew(self) -> None:
        """Say that this run still works.

        :raises LeaseLost: when the lock has passed to another run.
        """
        with self._guard:
            if not self._write("PUT", self._path, self._body(self._live)):
                live = self._read()
                if live is None or live["spec"].get("holderIdentity") != self.holder:
                    raise self._lose(live)
                self._write("PUT", self._path, self._body(live))

    def check(self) -> None:
        """Make sure, without a request, that the lock is still ours as far as we know.

        :raises LeaseLost: when a renewal has found that it is not.
        """
        if self._lost:
            raise LeaseLost(self._lost)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lock in the background for as long as the context lasts."""
        stop = threading.Event()

        def keep() -> None:
            while not stop.wait(self._settings.duration / RENEWALS):
                try:
                    self.renew()
                except LeaseLost:
                    return
                except ApplyError:
                    continue  # an outage: the next renewal tells whether the lock outlived it

        thread = threading.Thread(target=keep, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def release(self) -> None:
        """Give the lock back, unless it has passed to another run."""
        with self._guard:
            live = self._read()
            if live is None or live["spec"].get("holderIdentity") != self.holder:
                return
            metadata = live["metadata"]
            body = {"preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}
            try:
                self._connection.request("DELETE", self._path, body=body)
            except ApiError as error:
                if error.status not in (404, 409):  # gone already, or another's by now
                    raise

    def _lose(self, live: dict[str, Any] | None) -> LeaseLost:
        who = (live["spec"].get("holderIdentity") or "nobody") if live else "nobody, because the Lease was deleted"
        self._lost = (
            f"The lock of the release (Lease {self._owner.namespace}/{self.name}) has passed to {who}. This run "
            f"({self.holder}) stopped where it was, so that two runs do not write at the same time. Run again."
        )
        return LeaseLost(self._lost)

    def _read(self) -> dict[str, Any] | None:
        try:
            return self._connection.find(self._path)
        except ApiError as error:
            raise self._refused(error) from None

    def _write(self, method: str, path: str, body: dict[str, Any]) -> bool:
        """Write the Lease; False when somebody else has written or deleted it in the meantime."""
        try:
            self._live = self._connection.request(method, path, body=body).body
        except ApiError as error:
            if error.status in (404, 409) and not (method == "POST" and error.status == 404):
                return False
            raise self._refused(error) from None
        return True

    def _body(self, live: dict[str, Any] | None) -> dict[str, Any]:
        """Return the Lease with us as its holder. With the version of *live*, it replaces that one and no later one."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = live["spec"] if live else {}
        ours = before.get("holderIdentity") == self.holder
        metadata: dict[str, Any] = {
            "name": self.name,
            "namespace": self._owner.namespace,
            "labels": self._owner.engine_labels(),
            "annotations": {**self._owner.annotations},
        }
        if live:
            metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self._settings.duration,
                "acquireTime": before["acquireTime"] if ours else now,
                "renewTime": now,
                "leaseTransitions": (before.get("leaseTransitions") or 0) + (1 if before and not ours else 0),
            },
        }

    def _held_text(self, spec: dict[str, Any], so_far: str) -> str:
        return (
            f"{spec.get('holderIdentity')} has been deploying this release since {spec.get('acquireTime')} (Lease "
            f"{self._owner.namespace}/{self.name}); this run waited for {self._settings.timeout:g} s "
            f"(agentsmith_lock_timeout). {so_far} Run again when that run is over. The lock of a killed run expires "
            f"after {spec.get('leaseDurationSeconds')} s (agentsmith_lock_duration)."
        )

    def _refused(self, error: ApiError) -> ApplyError:
        return ApplyError(
            f"The release cannot be locked: Lease {self._owner.namespace}/{self.name} was refused ({error.status}): "
            f"{error}. Deploying needs get, create, update and delete of leases (coordination.k8s.io) in the namespace."
        )


@contextmanager
def given_back_on_failure(lease: ReleaseLease, warnings: list[str]) -> Iterator[None]:
    """Take the lock; give it back when the context fails, an interrupted one included.

    :param warnings: is told where that is not possible.
    """
    lease.acquire()
    try:
        yield
    except BaseException:
        warnings += give_back(lease)
        raise


def give_back(lease: ReleaseLease) -> list[str]:
    """Give a lock back at the end of whatever happened; say so when that fails, instead of hiding what happened."""
    try:
        lease.release()
    except ApplyError as error:
        return [f"This run could not release its lock, so the next run waits until the lock expires: {error}"]
    return []
