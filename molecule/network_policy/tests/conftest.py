# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of every kind of the matrix, which call each other with real packets.

A pod has the labels of its kind and the image of the stand-in. It never gets ready: so no Service leads to it. Redis
and the Dispatcher are called by their Services, as the app does. A process on the node's own network stands for what
is outside of the cluster, the metadata services of clouds included. It would answer, as other namespaces see.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from namespaces import removed
from network_matrix import CALLERS, CELLS, HOME, TARGETS, Cell

PACKETS = Path(__file__).with_name("packets.py").read_text(encoding="utf-8")
# On the loopback of the node while the test lasts
OUTSIDE = {"local-dns": "169.254.20.10", "metadata": "169.254.169.254", "alibaba": "100.100.100.200"}
PAIRS = [(caller, target) for caller, target in product(CALLERS, TARGETS) if caller != TARGETS[target].peer]
CONTROL = set(PAIRS) - set(CELLS)
"""Calls from elsewhere to elsewhere, which no policy of the release touches. They prove that something answers."""
SETTLING_TIME = 60  # seconds until the network follows a changed policy


def _pod(name: str, namespace: str, labels: dict[str, str], image: str, arguments: list[Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"matrix-{name}", "namespace": namespace, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 5,
            # Nobody sets this condition
            "readinessGates": [{"conditionType": "agentsmith.platform/never"}],
            "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
            "containers": [
                {
                    "name": "packets",
                    "image": image,
                    "imagePullPolicy": "Never",
                    "command": ["python3", "-c", PACKETS, "listen", *map(json.dumps, arguments)],
                    "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}},
                }
            ],
        },
    }


def _pods(image: str, node: str) -> list[dict[str, Any]]:
    """A pod of each kind, and one on the node's network for what is no pod."""
    found = []
    for name, caller in CALLERS.items():
        ports = [[None, where.port, where.protocol] for where in TARGETS.values() if where.peer == name]
        found.append(_pod(name, caller.namespace, dict(caller.labels), image, [ports, []]))
    addresses = {"internet": node, **OUTSIDE}
    ports = [
        [addresses[where.peer], where.port, where.protocol] for where in TARGETS.values() if where.peer in addresses
    ]
    outside = _pod("outside", CALLERS["stranger"].namespace, {}, image, [ports, list(OUTSIDE.values())])
    outside["spec"] |= {"hostNetwork": True, "securityContext": {"runAsUser": 0}}
    outside["spec"]["containers"][0]["securityContext"] = {"capabilities": {"add": ["NET_ADMIN"]}}
    return [*found, outside]


@pytest.fixture(scope="module")
def addresses(kubectl, get, tmp_path_factory) -> Iterator[dict[str, tuple[str, int, str]]]:
    """Where each target of the matrix is, with a pod of every kind as long as the tests last."""
    image = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]["image"]
    (node,) = (entry["address"] for entry in get("nodes")[0]["status"]["addresses"] if entry["type"] == "InternalIP")
    pods = _pods(image, node)
    namespaces = sorted({pod["metadata"]["namespace"] for pod in pods} - {HOME})
    file = tmp_path_factory.mktemp("matrix") / "pods.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    at_home = " ".join(pod["metadata"]["name"] for pod in pods if pod["metadata"]["namespace"] == HOME)
    with removed(kubectl, *namespaces), ExitStack() as end:
        end.callback(kubectl, f"-n {HOME} delete pods --ignore-not-found --wait=false {at_home}")
        for namespace in namespaces:
            kubectl("create namespace %s", namespace)
            # A pod needs the ServiceAccount that every namespace gets a moment later
            kubectl("-n %s wait --for=create --timeout=60s serviceaccount/default", namespace)
        kubectl("create -f %s", str(file))
        running: dict[str, str] = {}
        for pod in pods:
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            kubectl("-n %s wait --for=condition=ContainersReady --timeout=90s pod/%s", namespace, name)
            running[name] = get(f"pod/{name}", namespace)["status"]["podIP"]

        def service(name: str, namespace: str = HOME) -> str:
            return get(f"service/{name}", namespace)["spec"]["clusterIP"]

        places = {name: running[f"matrix-{name}"] for name in CALLERS}
        places |= {"dns": service("kube-dns", "kube-system"), "api-server": node, "internet": node, **OUTSIDE}
        found = {name: (places[where.peer], where.port, where.protocol) for name, where in TARGETS.items()}
        found["dispatcher"] = (service("agentsmith-dispatcher"), 80, "TCP")
        found["redis"] = (service("redis"), 6379, "TCP")
        found["api-server"] = (service("kubernetes", "default"), 443, "TCP")
        yield found


@pytest.fixture(scope="module")
def measure(kubectl, addresses) -> Callable[[], set[Cell]]:
    """Have every pod try every target, all side by side: the pairs that a connection came about for."""

    def ask(caller: str) -> set[Cell]:
        targets = {target: addresses[target] for who, target in PAIRS if who == caller}
        output = kubectl(
            "-n %s exec %s -- python3 -c %s call %s",
            CALLERS[caller].namespace,
            f"matrix-{caller}",
            PACKETS,
            json.dumps(targets),
        )
        return {(caller, target) for target, fault in json.loads(output).items() if not fault}

    def all_pairs() -> set[Cell]:
        with ThreadPoolExecutor(len(CALLERS)) as pool:
            return set().union(*pool.map(ask, CALLERS))

    return all_pairs


@pytest.fixture(scope="module")
def expect(measure) -> Callable[[set[Cell]], None]:
    """Assert that exactly these cells of the matrix are let through, once the network has followed."""

    def check(cells: set[Cell]) -> None:
        deadline = time.monotonic() + SETTLING_TIME
        while (found := measure()) != cells | CONTROL and time.monotonic() < deadline:
            pass
        assert sorted(found - cells - CONTROL) == [], "let through and should be refused"
        assert sorted((cells | CONTROL) - found) == [], "refused and should be let through"

    return check


@pytest.fixture
def policies(get) -> list[dict[str, Any]]:
    """The live NetworkPolicies of the release."""
    return get("networkpolicies")
