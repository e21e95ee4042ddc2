# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connections the release's NetworkPolicies let through. Everything that is not listed here is refused.

Tests hold three things to it: a model of NetworkPolicy (tests/unit/roles), real packets (molecule/network_policy) and
the table in docs/hardening.md.
"""

from __future__ import annotations

from dataclasses import dataclass

HOME = "agentsmith"
DEV, PROD = "dev", "prod"
"""The options of inventories/dev, with the stand-in Slack and a NodePort, and those of inventories/prod."""
WAY_IN_NAMESPACE = "envoy-gateway-system"
"""As inventories/prod has it."""


@dataclass(frozen=True)
class Caller:
    """A kind of pod: what people call it, its namespace and its labels."""

    text: str
    namespace: str
    labels: tuple[tuple[str, str], ...]


CALLERS = {
    "dispatcher": Caller("Dispatcher", HOME, (("app", "agentsmith-dispatcher"),)),
    "job": Caller("Job", HOME, (("app", "agentsmith"), ("job-id", "0123456789ab"))),
    "redis": Caller("Redis", HOME, (("app", "redis"),)),
    "solver": Caller("solver of cert-manager", HOME, (("acme.cert-manager.io/http01-solver", "true"),)),
    "slack": Caller("stand-in Slack", HOME, (("app", "stand-in-slack"),)),
    "neighbour": Caller("other pod of the namespace", HOME, (("app", "something"),)),
    "way-in": Caller("way in (`dispatcher_network_policy_from`)", WAY_IN_NAMESPACE, (("app", "controller"),)),
    # Its label is the Dispatcher's, and it is in another namespace
    "stranger": Caller("pod elsewhere", "elsewhere", (("app", "agentsmith-dispatcher"),)),
}


@dataclass(frozen=True)
class Target:
    """Where a connection goes: to a peer, at a port. The peer is a caller, or one of the names below."""

    text: str
    peer: str
    port: int
    protocol: str = "TCP"


TARGETS = {
    "dispatcher": Target("Dispatcher", "dispatcher", 8080),
    "redis": Target("Redis", "redis", 6379),
    "slack": Target("stand-in Slack", "slack", 8081),
    "job": Target("Job", "job", 8080),
    "solver": Target("solver of cert-manager", "solver", 8089),
    "neighbour": Target("other pod of the namespace", "neighbour", 8080),
    "dns": Target("DNS", "dns", 53, "UDP"),
    "dns-tcp": Target("DNS", "dns", 53),
    "local-dns": Target("NodeLocal DNSCache", "local-dns", 53, "UDP"),
    "local-dns-tcp": Target("NodeLocal DNSCache", "local-dns", 53),
    "api-server": Target("API server", "api-server", 6443),
    "kubelet": Target("kubelet", "api-server", 10250),
    "https": Target("HTTPS outside of the cluster", "internet", 443),
    "http": Target("HTTP outside of the cluster", "internet", 80),
    "https-elsewhere": Target("HTTPS of a pod elsewhere", "stranger", 443),
    "http-elsewhere": Target("other port of a pod elsewhere", "stranger", 8080),
    "dns-elsewhere": Target("port 53 of another pod", "stranger", 53),
    "metadata": Target("metadata service 169.254.169.254", "metadata", 80),
    "metadata-https": Target("metadata service 169.254.169.254", "metadata", 443),
    "alibaba-https": Target("metadata service 100.100.100.200", "alibaba", 443),
}


@dataclass(frozen=True)
class Allowed:
    """That callers reach targets, why, and with which options."""

    callers: tuple[str, ...]
    targets: tuple[str, ...]
    why: str
    options: tuple[str, ...] = (DEV, PROD)


DNS = ("dns", "dns-tcp", "local-dns", "local-dns-tcp")
EVERYBODY = ("way-in", "stranger")
"""Nobody of the namespace: there each pod's own policy says what it may call."""
ALLOWED = (
    Allowed(("way-in",), ("dispatcher",), "requests of Slack"),
    Allowed(("stranger",), ("dispatcher",), "a NodePort is open to everybody", (DEV,)),
    Allowed(("slack",), ("dispatcher",), "requests of the stand-in Slack", (DEV,)),
    Allowed(("dispatcher",), ("slack",), "answers to the stand-in Slack", (DEV,)),
    Allowed(EVERYBODY, ("slack",), "the page of the stand-in Slack", (DEV,)),
    Allowed(("dispatcher", "job"), ("redis",), "messages between the Dispatcher and its Jobs"),
    Allowed(("dispatcher", "job"), DNS, "names"),
    Allowed(("slack",), ("dns", "dns-tcp"), "names", (DEV,)),
    Allowed(("dispatcher",), ("api-server",), "the Dispatcher creates Jobs"),
    Allowed(("dispatcher", "job"), ("https", "https-elsewhere"), "Slack, the LLM, Git hosts, trackers"),
    Allowed(("way-in",), ("solver",), "the certificate authority's HTTP-01 challenge", (PROD,)),
)

Cell = tuple[str, str]
CELLS: tuple[Cell, ...] = tuple(
    (caller, target)
    for target, where in TARGETS.items()
    for caller, who in CALLERS.items()
    if caller != where.peer and HOME in (who.namespace, CALLERS[where.peer].namespace if where.peer in CALLERS else "")
)
"""Every pair with an end in the release's namespace: others are no business of its policies."""


def allowed(options: str) -> set[Cell]:
    """Return the cells that are let through."""
    return {
        (caller, target)
        for rule in ALLOWED
        if options in rule.options
        for caller in rule.callers
        for target in rule.targets
    }


def rows() -> list[list[str]]:
    """Return the table for people: a row for each target, a column for each caller."""
    in_dev, in_prod = allowed(DEV), allowed(PROD)
    words = {(True, True): "yes", (True, False): "dev", (False, True): "prod", (False, False): "-"}

    def word(caller: str, target: str) -> str:
        cell = (caller, target)
        return words[cell in in_dev, cell in in_prod] if cell in CELLS else ""

    def why(target: str) -> str:
        return "; ".join(dict.fromkeys(rule.why for rule in ALLOWED if target in rule.targets)) or "nobody needs it"

    heading = ["to", "port", *(caller.text for caller in CALLERS.values()), "what for"]
    return [heading] + [
        [where.text, f"{where.port} {where.protocol}", *(word(caller, target) for caller in CALLERS), why(target)]
        for target, where in TARGETS.items()
    ]
