# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster's network enforces NetworkPolicies: the API server takes them either way.

Redis may call nobody, and its image has a client. So Redis is made to call the Dispatcher: a connection that comes
about proves that nothing is enforced. One that does not proves the contrary where the way is known to be good, and it
is when the Dispatcher reaches Redis: when it is connected to it, or can be made to call it, as the app takes some time
to connect to a Redis that is new. A forwarded port would prove nothing, as it comes from the node itself, which no
policy keeps out. No object is made for this.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..api.connection import Connection
from ..api.pod_stream import KILLED_BY_TIMEOUT, CommandMissing, ContainerOf, EndedCommand, run_command
from ..api.redis_over_socket import encoded_command
from ..pods.names import CONTAINERS, DISPATCHER, REDIS
from ..pods.pod import status_of_container
from . import egress
from .outcome import FAILED, NOT_CHECKED, OK, WARNING, Outcome
from .redis_client import redis_client
from .target import REDIS_PORT, Target, dispatcher_port

CHECK = "network_policy"
ANSWER_TIMEOUT = 10.0  # seconds
# Seconds, whole ones, which every `timeout` takes. A policy mostly lets packets vanish, so the call ends by this, and a
# deploy waits for it. Linux repeats the first packet after one second: the loss of a single one proves nothing.
CALL_TIMEOUT = 2
# What redis-cli says when nobody took its call. When somebody did, it complains of an answer that is none of Redis.
_NOT_CONNECTED = ("Could not connect", "Connection refused", "timed out", "No route to host", "unreachable")
_LOST = EndedCommand(KILLED_BY_TIMEOUT[0], "", "")


@dataclass(frozen=True)
class LostCall:
    """A call that vanished: the ids of the containers of Redis, which made it, and of the Dispatcher."""

    caller: str = ""
    called: str = ""


def ask_network_policy(target: Target, required: bool, lost: LostCall = LostCall()) -> Outcome:
    """Make Redis call the Dispatcher, and judge.

    :param required: whether it is a failure that nothing is enforced.
    :param lost: a call that has just been made. It counts if its containers still run, and nothing is required.
    :raises ApiError: when a right is missing: `create` on `pods/exec` or `pods/portforward`.
    """
    policy = target.network_policy(REDIS)
    if policy is None:
        return Outcome(CHECK, NOT_CHECKED, f"there is no NetworkPolicy {REDIS} that could be enforced")
    callers = target.ready_pods(target.redis)
    # A pod may be ready and not have its address yet
    called = [pod for pod in target.ready_pods(target.dispatcher) if pod["status"].get("podIP")]
    if not callers or not called:
        return Outcome(CHECK, NOT_CHECKED, "the check needs a ready pod of Redis and a ready one of the Dispatcher")
    made = None if required else _pods_of(lost, callers, called)
    redis, dispatcher = made or (callers[0], called[0])
    address = dispatcher["status"]["podIP"]
    container = target.container(redis, CONTAINERS[REDIS])
    with redis_client(target, container, ANSWER_TIMEOUT) as client:
        clients = client.command("CLIENT", "LIST")
    call = _LOST if made else call_dispatcher(target.connection, container, address, dispatcher_port(dispatcher))
    reaches = is_connected(str(clients), address) or (_is_refused(call) and _can_call(target, dispatcher, redis))
    return judge(call, reaches, address, required)


def call_dispatcher(connection: Connection, redis: ContainerOf, address: str, port: int) -> EndedCommand:
    """Make Redis call the Dispatcher.

    :raises ApiError: when `create` on `pods/exec` is missing; StreamCut when the command does not end.
    """
    command = ["timeout", str(CALL_TIMEOUT), "redis-cli", "-h", address, "-p", str(port), "PING"]
    return run_command(connection, redis, command)


def is_connected(clients: str, address: str) -> bool:
    """Tell whether *address* is among the clients in the answer to CLIENT LIST."""
    host = f"[{address}]" if ":" in address else address
    return f" addr={host}:" in clients


def judge(call: EndedCommand, reaches: bool, address: str, required: bool) -> Outcome:
    """Judge the call of redis-cli to the Dispatcher at *address*.

    :param reaches: whether the Dispatcher reaches Redis, the other way round.
    """
    if not _is_refused(call):
        evidence = f"not enforced: Redis can call the Dispatcher ({address}), which its NetworkPolicy forbids"
        hint = (
            "The cluster's network plugin ignores NetworkPolicies: install one that enforces them, or use a cluster "
            "of your own."
        )
        return Outcome(CHECK, FAILED if required else WARNING, evidence, hint)
    if not reaches:
        evidence = f"Redis cannot call the Dispatcher ({address}), which does not reach Redis either"
        return Outcome(CHECK, NOT_CHECKED, evidence)
    return Outcome(CHECK, OK, f"enforced: Redis cannot call the Dispatcher ({address}), which reaches Redis")


def _is_refused(call: EndedCommand) -> bool:
    return call.timed_out or any(text in call.errors + call.output for text in _NOT_CONNECTED)


def _can_call(target: Target, dispatcher: Mapping[str, Any], redis: Mapping[str, Any]) -> bool:
    """Tell whether a pod of the Dispatcher can call one of Redis. Where its image has no bash, it cannot be told."""
    address = redis["status"].get("podIP")
    if not address:
        return False
    try:
        call = egress.call_from(target, dispatcher, address, str(REDIS_PORT), encoded_command("PING"))
    except CommandMissing:
        return False
    # A sidecar takes every connection itself
    return call is not None and call.answer.startswith(("+", "-"))


def container_id(pod: Mapping[str, Any], name: str) -> str:
    """Return the id of the container that runs in a pod of the Deployment *name*, empty if none does."""
    status = status_of_container(pod, CONTAINERS[name])
    return str(status.get("containerID") or "") if "running" in (status.get("state") or {}) else ""


def _pods_of(
    lost: LostCall, callers: Iterable[Mapping[str, Any]], called: Iterable[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the pods between which a call was lost, None if one of them is gone or was started anew."""
    redis = {container_id(pod, REDIS): pod for pod in callers}.get(lost.caller)
    dispatcher = {container_id(pod, DISPATCHER): pod for pod in called}.get(lost.called)
    return (redis, dispatcher) if lost.caller and lost.called and redis and dispatcher else None
