# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster's network enforces NetworkPolicies: the API server takes them either way.

Redis may call nobody, and its image has a client. So Redis is made to call the Dispatcher: a connection that comes
about proves that nothing is enforced. One that does not proves the contrary where the way is known to be good, and it
is when the Dispatcher has a connection to Redis at that moment. A forwarded port would prove nothing, as it comes from
the node itself, which no policy keeps out. No object is made for this.
"""

from ..api.pod_stream import ContainerOf, EndedCommand, run_command
from ..pods.names import REDIS
from .outcome import FAILED, NOT_CHECKED, OK, WARNING, Outcome
from .redis_client import redis_client
from .target import Target, dispatcher_port

CHECK = "network_policy"
ANSWER_TIMEOUT = 10.0  # seconds
# Seconds, whole ones, which every `timeout` takes. A policy mostly lets packets vanish, so the call ends by this, and a
# deploy waits for it. Linux repeats the first packet after one second: the loss of a single one proves nothing.
CALL_TIMEOUT = 2
# What redis-cli says when nobody took its call. When somebody did, it complains of an answer that is none of Redis.
_NOT_CONNECTED = ("Could not connect", "Connection refused", "timed out", "No route to host", "unreachable")
_KILLED_BY_TIMEOUT = (124, 137, 143)


def ask_network_policy(target: Target, required: bool) -> Outcome:
    """Make Redis call the Dispatcher, and judge.

    :param required: whether it is a failure that nothing is enforced.
    :raises ApiError: when a right is missing: `create` on `pods/exec` or `pods/portforward`.
    """
    policy = target.network_policy(REDIS)
    if policy is None:
        return Outcome(CHECK, NOT_CHECKED, f"there is no NetworkPolicy {REDIS} that could be enforced")
    callers, called = target.ready_containers(target.redis), _listening(target)
    if not callers or called is None:
        return Outcome(CHECK, NOT_CHECKED, "the check needs a ready pod of Redis and a ready one of the Dispatcher")
    address, port = called
    with redis_client(target, callers[0], ANSWER_TIMEOUT) as client:
        clients = client.command("CLIENT", "LIST")
    return judge(_call(target, callers[0], address, port), is_connected(str(clients), address), address, required)


def is_connected(clients: str, address: str) -> bool:
    """Tell whether *address* is among the clients in the answer to CLIENT LIST."""
    host = f"[{address}]" if ":" in address else address
    return f" addr={host}:" in clients


def judge(call: EndedCommand, connected: bool, address: str, required: bool) -> Outcome:
    """Judge the call of redis-cli to the Dispatcher at *address*.

    :param connected: whether the Dispatcher has a connection to Redis, the other way round.
    """
    refused = call.code in _KILLED_BY_TIMEOUT or any(text in call.errors + call.output for text in _NOT_CONNECTED)
    if not refused:
        evidence = f"not enforced: Redis can call the Dispatcher ({address}), which its NetworkPolicy forbids"
        hint = (
            "The cluster's network plugin ignores NetworkPolicies: install one that enforces them, or use a cluster "
            "of your own."
        )
        return Outcome(CHECK, FAILED if required else WARNING, evidence, hint)
    if not connected:
        evidence = f"Redis cannot call the Dispatcher ({address}), which has no connection to Redis either"
        return Outcome(CHECK, NOT_CHECKED, evidence)
    return Outcome(CHECK, OK, f"enforced: Redis cannot call the Dispatcher ({address}), which is connected to Redis")


def _listening(target: Target) -> tuple[str, int] | None:
    """Return the address and port of a ready pod of the Dispatcher; it may be ready and not have one yet."""
    pods = target.ready_pods(target.dispatcher)
    return next(((pod["status"]["podIP"], dispatcher_port(pod)) for pod in pods if pod["status"].get("podIP")), None)


def _call(target: Target, redis: ContainerOf, address: str, port: int) -> EndedCommand:
    command = ["timeout", str(CALL_TIMEOUT), "redis-cli", "-h", address, "-p", str(port), "PING"]
    return run_command(target.connection, redis, command)
