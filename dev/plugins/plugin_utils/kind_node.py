# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a kind cluster as its container engine sees them, and the health of the cluster behind them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from .command import ask

API_PORT = "6443/tcp"
# kind's own labels of its containers
CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
# What kubectl says when a kubeconfig belongs to an earlier cluster on the same port
_FOREIGN_CREDENTIALS = ("x509", "certificate", "Unauthorized", "must be logged in")


@dataclass(frozen=True)
class Node:
    """The node of a control plane, and the names of the others.

    `running` is whether the containers of all of them run. `ports` maps what it listens on (`6443/tcp`) to the port of
    this machine that leads there.
    """

    engine: str
    name: str
    running: bool
    image: str
    ports: dict[str, int]
    workers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all nodes."""
        return (self.name, *self.workers)


def node_name(cluster: str) -> str:
    """Return the name that kind gives the container of the control plane of `cluster`."""
    return f"{cluster}-control-plane"


def find_node(cluster: str, engines: tuple[str, ...]) -> Node | None:
    """Return the control plane's node of `cluster`, in the first of `engines` that has it."""
    for engine in engines:
        answer = ask([engine, "container", "inspect", node_name(cluster)])
        if answer.status:
            continue
        container = json.loads(answer.output)[0]
        # What was asked for, not what is mapped now: a stopped container has no ports in its NetworkSettings.
        bindings = container["HostConfig"].get("PortBindings") or {}
        workers = _workers(engine, cluster)
        others = json.loads(ask([engine, "container", "inspect", *workers]).output or "[]") if workers else []
        return Node(
            engine=engine,
            name=node_name(cluster),
            running=all(entry["State"]["Running"] for entry in [container, *others]),
            image=container["Config"]["Image"],
            ports={inside: int(outside[0]["HostPort"] or 0) for inside, outside in bindings.items() if outside},
            workers=workers,
        )
    return None


def _workers(engine: str, cluster: str) -> tuple[str, ...]:
    """Return the names of the workers of `cluster`."""
    filters = [f"--filter=label={CLUSTER_LABEL}={cluster}", f"--filter=label={ROLE_LABEL}=worker"]
    return tuple(sorted(ask([engine, "ps", "--all", *filters, "--format={{.Names}}"]).output.split()))


def contexts(kubeconfig: str) -> dict[str, str]:
    """Return the contexts in the file `kubeconfig`, each with the URL of its server; none where it is no kubeconfig."""
    try:
        document = yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    if not isinstance(document, dict):
        return {}
    servers = {entry["name"]: entry["cluster"]["server"] for entry in document.get("clusters") or []}
    return {entry["name"]: servers.get(entry["context"]["cluster"], "") for entry in document.get("contexts") or []}


def nodes_ready(node_list: dict[str, Any], workers: int) -> bool:
    """Return whether a NodeList has all nodes, each of them Ready, and pods can be scheduled.

    kubeadm taints the node of a control plane. If that is the only node, kind takes the taint away afterwards. Where
    kind was killed in between, the node is Ready and useless.
    """

    def ready(item: dict[str, Any]) -> bool:
        conditions = item["status"].get("conditions", [])
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def for_pods(item: dict[str, Any]) -> bool:
        return not any(taint["key"] == CONTROL_PLANE_TAINT for taint in item["spec"].get("taints", []))

    items = node_list.get("items") or []
    return len(items) > workers and all(ready(item) for item in items) and any(for_pods(item) for item in items)


def verdict(cluster: str, node: Node | None, kubectl: str, kubeconfig: str) -> str:
    """Judge the cluster `cluster` with the control plane's `node`, through `kubeconfig` and with the command `kubectl`.

    - `absent`: there is no node.
    - `dead`: its container or that of a worker does not run. An engine may say that it does where its processes were
      killed: then nothing can be started in it.
    - `unexported`: it runs, but it cannot be asked from here: no kubectl, no kubeconfig, or one of an earlier cluster.
    - `starting`: it runs, but the API server does not answer or a node is not Ready.
    - `healthy`: /readyz says so (https://kubernetes.io/docs/reference/using-api/health-checks/), and all nodes are
      Ready.
    """
    if node is None:
        return "absent"
    if not node.running:
        return "dead"
    context = f"kind-{cluster}"
    server = contexts(kubeconfig).get(context, "")
    asked = os.access(kubectl, os.X_OK) and urlsplit(server).port == node.ports.get(API_PORT)
    if asked:
        command = [kubectl, "--kubeconfig", kubeconfig, "--context", context, "--request-timeout", "5s", "get", "--raw"]
        health = ask([*command, "/readyz"])
        if health.status == 0:
            listed = ask([*command, "/api/v1/nodes"])
            ready = listed.status == 0 and nodes_ready(json.loads(listed.output), len(node.workers))
            return "healthy" if ready else "starting"
        asked = not any(sign in health.errors for sign in _FOREIGN_CREDENTIALS)
    if ask([node.engine, "exec", node.name, "true"]).status:
        return "dead"
    return "starting" if asked else "unexported"
