# SPDX-License-Identifier: GPL-3.0-or-later
"""The call of the check network_policy, made while a rollout is waited for.

A container runs for some seconds before its pod is ready. A call that is made meanwhile costs a deploy no time. Only
one that vanishes counts: a policy may not be enforced at once, and the Dispatcher may not listen yet. The check then
makes its own.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

from ..api.connection import Connection
from ..api.pod_stream import ContainerOf
from ..api.watch import Watches
from ..objects.errors import ApplyError
from ..objects.labels import INSTANCE_LABEL, labels_of
from ..objects.owner import Owner
from ..objects.planned_object import is_going
from ..pods.names import CONTAINERS, DISPATCHER, REDIS
from ..pods.pod import container_of, is_ready
from .network_policy import CALL_TIMEOUT, LostCall, call_dispatcher, container_id
from .target import dispatcher_port

PAUSE = 1.0  # seconds between two looks, if nothing is told to have changed
# Seconds that a call gets which still runs when the rollout is over: as long as one that begins then
PATIENCE = CALL_TIMEOUT + 1.0

Pod = Mapping[str, Any]


class CallDuringRollout:
    """Makes the call in a thread of its own. Use it as a context manager around the wait.

    ``lost``: the last call that vanished.

    :param owner: the release whose pods they are.
    """

    def __init__(self, connection: Connection, owner: Owner) -> None:
        self.lost = LostCall()
        self._connection, self._namespace = connection, owner.namespace
        self._selector = f"app in ({DISPATCHER},{REDIS}),{INSTANCE_LABEL}={owner.instance}"
        self._watches = Watches(connection)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_more: object) -> None:
        self._is_over.set()
        self._watches.tell()
        if failure is None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        asked = LostCall()
        try:
            with self._watches as watches:
                pods = watches.of_list(f"/api/v1/namespaces/{self._namespace}/pods", {"labelSelector": self._selector})
                while not self._is_over.is_set():
                    asked = self._look(pods.items(), asked)
                    watches.wait(PAUSE)
        except Exception:  # noqa: BLE001, S110  nobody hears a thread; the check makes its own call, and tells
            pass

    def _look(self, pods: Sequence[Pod], asked: LostCall) -> LostCall:
        """Make the call if the pods for it are there. Return between which it was made last."""
        callers, called = _running(pods, REDIS), _running(pods, DISPATCHER)
        if not callers or not called or (asked.caller in callers and asked.called in called):
            return asked
        (caller, redis), (callee, dispatcher) = _newest(callers), _newest(called)
        if is_ready(redis) and is_ready(dispatcher):
            return asked  # nothing rolls yet, or all is ready for the checks
        container = ContainerOf(
            self._namespace, redis["metadata"]["name"], container_of(redis, CONTAINERS[REDIS])["name"]
        )
        pair = LostCall(caller, callee)
        try:
            call = call_dispatcher(
                self._connection, container, dispatcher["status"]["podIP"], dispatcher_port(dispatcher)
            )
        except ApplyError:
            return pair
        # A pod in which nobody listens refuses a call at once
        if call.timed_out:
            self.lost = pair
        return pair


def _running(pods: Sequence[Pod], name: str) -> dict[str, Pod]:
    """Return the pods of a Deployment that have an address and are not going away, by the id of their container."""
    found = {container_id(pod, name): pod for pod in pods if labels_of(pod).get("app") == name and not is_going(pod)}
    return {known: pod for known, pod in found.items() if known and pod["status"].get("podIP")}


def _newest(pods: Mapping[str, Pod]) -> tuple[str, Pod]:
    return max(pods.items(), key=lambda item: str(item[1]["metadata"].get("creationTimestamp") or ""))
