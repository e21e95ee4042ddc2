# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: what NetworkPolicies let through.

By https://kubernetes.io/docs/concepts/services-networking/network-policies/
It knows what the policies here use: matchLabels, matched namespaces, CIDRs with exceptions, and ports by number.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from network_matrix import CALLERS, CELLS, TARGETS, Cell

NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Peer:
    """One end of a connection. A peer without a namespace is outside of the cluster."""

    name: str
    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


_PEERS = {
    **{
        name: Peer(name, f"10.244.0.{100 + number}", caller.namespace, dict(caller.labels))
        for number, (name, caller) in enumerate(CALLERS.items())
    },
    "dns": Peer("dns", "10.244.0.2", "kube-system", {"k8s-app": "kube-dns"}),
    "local-dns": Peer("local-dns", "169.254.20.10"),
    "api-server": Peer("api-server", "172.18.0.2"),
    "internet": Peer("internet", "140.82.121.3"),
    "metadata": Peer("metadata", "169.254.169.254"),
    "alibaba": Peer("alibaba", "100.100.100.200"),
}


def cells(policies: Sequence[Mapping[str, Any]]) -> set[Cell]:
    """Return the cells of the matrix that policies let through."""
    return {
        (caller, target)
        for caller, target in CELLS
        if allows(
            policies, _PEERS[caller], _PEERS[TARGETS[target].peer], TARGETS[target].port, TARGETS[target].protocol
        )
    }


def allows(
    policies: Sequence[Mapping[str, Any]], source: Peer, destination: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Tell whether both ends let a connection pass."""
    return _side(policies, "Egress", source, destination, port, protocol) and _side(
        policies, "Ingress", destination, source, port, protocol
    )


def _side(
    policies: Sequence[Mapping[str, Any]], direction: str, own: Peer, other: Peer, port: int, protocol: str
) -> bool:
    selecting = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and _has(own.labels, policy["spec"]["podSelector"])
    ]
    if not selecting:
        return True  # a pod that no policy selects is open
    rules = [rule for policy in selecting for rule in policy["spec"].get(direction.lower()) or []]
    end = "to" if direction == "Egress" else "from"
    return any(
        _port_fits(rule.get("ports"), port, protocol) and _peer_fits(rule.get(end), other, own.namespace)
        for rule in rules
    )


def _has(labels: Mapping[str, str], selector: Mapping[str, Any]) -> bool:
    assert selector.keys() <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()


def _port_fits(ports: Sequence[Mapping[str, Any]] | None, port: int, protocol: str) -> bool:
    return not ports or any(entry["port"] == port and entry.get("protocol", "TCP") == protocol for entry in ports)


def _peer_fits(peers: Sequence[Mapping[str, Any]] | None, other: Peer, own_namespace: str) -> bool:
    return not peers or any(_fits(peer, other, own_namespace) for peer in peers)


def _fits(peer: Mapping[str, Any], other: Peer, own_namespace: str) -> bool:
    if "ipBlock" in peer:
        address, block = ipaddress.ip_address(other.address), peer["ipBlock"]
        inside = address in ipaddress.ip_network(block["cidr"])
        return inside and not any(address in ipaddress.ip_network(cidr) for cidr in block.get("except") or [])
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        if not _has({NAMESPACE_NAME: other.namespace}, peer["namespaceSelector"]):
            return False
    elif other.namespace != own_namespace:
        return False
    return _has(other.labels, peer.get("podSelector") or {})
