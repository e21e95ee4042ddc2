# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Dispatcher reaches from inside its own pod: the API server, DNS and Redis.

The app's health tells none of it. The bash of its image opens the connections: so its own NetworkPolicies, DNS settings
and address count.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..api.pod_stream import EndedCommand, run_command
from ..pods.names import CONTAINERS, DISPATCHER
from .outcome import FAILED, NOT_CHECKED, OK, WARNING, Outcome, judged
from .target import Target

CALL_TIMEOUT = 10  # seconds: a policy mostly lets packets vanish, so the call ends by this
# Of any cluster; its search list completes it
KNOWN_NAME = "kubernetes.default.svc"
# The request comes by stdin, as it may hold a password. The kubelet tells every container where the API server is.
_SCRIPT = r"""LC_ALL=C
host=${1:-$KUBERNETES_SERVICE_HOST} port=${2:-$KUBERNETES_SERVICE_PORT}
echo "$host:$port"
exec 3<>"/dev/tcp/$host/$port" || exit 1
echo connected
IFS= read -r -N "$3" request
printf %s "$request" >&3
IFS= read -r -t 3 answer <&3
echo "$answer"
"""
# How a server of TLS written in Go answers HTTP. A proxy that takes every call itself says something else.
_ANSWER_OF_API_SERVER = "HTTP/1.0 400"
_PRODUCTION = "docs/how-to/production.md, Networks, has what differs between clusters."
_API_SERVER_HINT = (
    "The NetworkPolicy agentsmith-dispatcher has to let it through: dispatcher_network_policy_api_server_port is the "
    f"port that the API server itself listens on, dispatcher_network_policy_api_server_peers its address. {_PRODUCTION}"
)
_DNS_HINT = (
    "The NetworkPolicy agentsmith-dispatcher has to let it through: dispatcher_network_policy_dns_peers and "
    f"dispatcher_network_policy_dns_ports say who answers DNS. {_PRODUCTION}"
)
_REDIS_HINT = (
    "secrets_redis_url (vault_redis_url) says where it is, and dispatcher_network_policy_redis_peers and "
    "dispatcher_network_policy_redis_port have to let it through."
)
_CREDENTIALS_HINT = "The user or the password in secrets_redis_url (vault_redis_url) is not the one of Redis."


@dataclass(frozen=True)
class Call:
    """One call out of a pod. `fault` is why no connection came about; `resolved` tells whether its name has an address.

    `silent` tells that nothing happened until the time was over.
    """

    address: str
    connected: bool
    answer: str = ""
    fault: str = ""
    resolved: bool = True
    silent: bool = False


def call_from(target: Target, pod: Mapping[str, Any], host: str, port: str, request: bytes) -> Call | None:
    """Have a pod of the Dispatcher connect and send a request; None for a bash that is built without network.

    An empty host and port are the API server's.

    :raises CommandMissing: when its image has no `timeout` or no bash.
    """
    container = target.container(pod, CONTAINERS[DISPATCHER])
    return call_of(run_command(target.connection, container, command_of(host, port, request), request))


def command_of(host: str, port: str, request: bytes) -> list[str]:
    """Return the command that connects and sends a request of stdin. An empty host and port are the API server's."""
    return ["timeout", str(CALL_TIMEOUT), "bash", "-c", _SCRIPT, "bash", host, port, str(len(request))]


def call_of(ended: EndedCommand) -> Call | None:
    """Return what came of it; None for a bash that is built without network."""
    address, connected, answer, *_rest = [*ended.output.splitlines(), "", "", ""]
    address = address.strip() or "the API server"
    if connected:
        return Call(address, True, answer.strip())
    if ended.timed_out:
        return Call(address, False, fault=f"no answer within {CALL_TIMEOUT} s", silent=True)
    first = (ended.errors.strip().splitlines() or ["no connection"])[0]
    if "No such file or directory" in first:
        return None
    return Call(address, False, fault=first.rpartition(": ")[2], resolved=": connect: " in first)


def check_api_server(check: str, call: Call, sidecar: bool) -> Outcome:
    """The API server takes a connection.

    :param sidecar: whether a container that something injected may have taken the call instead.
    """
    # A proxy that nobody sees from the pod answers, too. What ends TLS before an API server may say nothing.
    if call.connected and (sidecar or call.answer) and not call.answer.startswith(_ANSWER_OF_API_SERVER):
        return _taken_by_others(check, call)
    evidence = f"{call.address} answers" if call.connected else f"{call.address}: {call.fault}"
    return judged(check, call.connected, evidence, _API_SERVER_HINT)


def check_dns(check: str, call: Call, api_server: Call) -> Outcome:
    """A name of the cluster has an address.

    :param call: to the API server by its name.
    :param api_server: to the API server by its address.
    """
    if call.connected or call.resolved and not call.silent:
        return Outcome(check, OK, f"{KNOWN_NAME} has an address")
    if call.silent and not api_server.connected:
        return Outcome(check, NOT_CHECKED, "the API server cannot be reached, neither by its name nor by its address")
    return Outcome(check, FAILED, f"{KNOWN_NAME}: {call.fault}", _DNS_HINT)


def check_redis(check: str, call: Call, asked: bool, sidecar: bool) -> Outcome:
    """Redis answers, and takes the password.

    :param asked: whether something was sent: over TLS, and to a sentinel, nothing is.
    """
    if not call.connected:
        return Outcome(check, FAILED, f"{call.address}: {call.fault}", _REDIS_HINT)
    if not call.answer and sidecar:
        return _taken_by_others(check, call)
    if not asked:
        evidence = (
            f"{call.address} takes connections; whether it takes the password is not asked over TLS or a sentinel"
        )
        return Outcome(check, OK, evidence)
    if "without any password configured" in call.answer:
        return Outcome(check, WARNING, f"{call.address} has no password, and the Secret has one", _CREDENTIALS_HINT)
    good = call.answer.startswith(("+", "-NOPERM"))
    hint = _CREDENTIALS_HINT if re.match("-(NOAUTH|WRONGPASS|ERR invalid password)", call.answer) else _REDIS_HINT
    evidence = f"{call.address} answers" if good else f"{call.address}: {call.answer or 'no answer of Redis'}"
    return judged(check, good, evidence, hint)


def check_api_server_port(
    check: str, policy: Mapping[str, Any] | None, addresses: Sequence[tuple[str, int]], others: Sequence[str]
) -> Outcome:
    """The Dispatcher's NetworkPolicy allows the addresses that the API server itself listens at.

    It is a warning, as some networks look at the address of the Service instead; whether the way is open is asked, too.

    :param policy: the live one; None where there is none.
    :param others: policies of another API in the release, which may allow more.
    """
    if policy is None or not addresses:
        reason = "the API server states no address" if policy else "there is no NetworkPolicy agentsmith-dispatcher"
        return Outcome(check, NOT_CHECKED, reason)
    closed = [f"{host}:{port}" for host, port in addresses if not _allows(policy, host, port)]
    if not closed:
        return Outcome(check, OK, ", ".join(f"{host}:{port}" for host, port in addresses))
    evidence = f"the NetworkPolicy agentsmith-dispatcher does not allow {', '.join(closed)}"
    if others:
        return Outcome(check, NOT_CHECKED, f"{evidence}; {', '.join(others)} may")
    ports = " or ".join(sorted({str(port) for _host, port in addresses}))
    hint = (
        f"Set dispatcher_network_policy_api_server_port to {ports}, and dispatcher_network_policy_api_server_peers, if "
        "you use it, to these addresses."
    )
    return Outcome(check, WARNING, evidence, hint)


def _taken_by_others(check: str, call: Call) -> Outcome:
    came = f"the answer is {call.answer}" if call.answer else "nothing came back"
    return Outcome(check, NOT_CHECKED, f"{call.address}: a sidecar or a proxy may have taken the call, {came}")


def _allows(policy: Mapping[str, Any], host: str, port: int) -> bool:
    rules = policy["spec"].get("egress") or []
    return any(
        any(_has_port(entry, port) for entry in rule.get("ports") or [{}])
        and any(_has_address(peer, host) for peer in rule.get("to") or [{"ipBlock": None}])
        for rule in rules
    )


def _has_port(entry: Mapping[str, Any], port: int) -> bool:
    """Tell whether an entry of a rule's ports has a port. One by name is a pod's, which the API server is not."""
    first = entry.get("port", port)
    return (
        entry.get("protocol", "TCP") == "TCP"
        and isinstance(first, int)
        and first <= port <= entry.get("endPort", first)
    )


def _has_address(peer: Mapping[str, Any], host: str) -> bool:
    """Tell whether a peer has an address. Selectors do not: the API server is a process of a node, or elsewhere."""
    if "ipBlock" not in peer:
        return False
    block = peer["ipBlock"]
    if block is None:
        return True
    address = ipaddress.ip_address(host)
    return address in ipaddress.ip_network(block["cidr"], strict=False) and not any(
        address in ipaddress.ip_network(cidr, strict=False) for cidr in block.get("except") or []
    )
