# SPDX-License-Identifier: GPL-3.0-or-later
"""The node of a kind cluster as its container engine sees it, and the health of the cluster behind it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from .command import ask

API_PORT = "6443/tcp"
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
# What kubectl says when a kubeconfig belongs to an earlier cluster on the same port
_FOREIGN_CREDENTIALS = ("x509", "certificate", "Unauthorized", "must be logged in")


@dataclass(frozen=True)
class Node:
    """A kind node. `ports` maps what it listens on (`6443/tcp`) to the port of this machine that leads there."""

    engine: str
    name: str
    running: bool
    image: str
    ports: dict[str, int]


def node_name(cluster: str) -> str:
    """Return the name that kind gives the container of the (only) node of `cluster`."""
    return f"{cluster}-control-plane"


def find_node(cluster: str, engines: tuple[str, ...]) -> Node | None:
    """Return the node of `cluster`, in the first of `engines` that has it."""
    for engine in engines:
        answer = ask([engine, "container", "inspect", node_name(cluster)])
        if answer.status:
            continue
        container = json.loads(answer.output)[0]
        # What was asked for, not what is mapped now: a stopped container has no ports in its NetworkSettings.
        bindings = container["HostConfig"].get("PortBindings") or {}
        return Node(
            engine=engine,
            name=node_name(cluster),
            running=bool(container["State"]["Running"]),
            image=container["Config"]["Image"],
            ports={inside: int(outside[0]["HostPort"] or 0) for inside, outside in bindings.items() if outside},
        )
    return None


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


def nodes_ready(node_list: dict[str, Any]) -> bool:
    """Return whether a NodeList has a node, and pods can be scheduled to every one: it is Ready and has no such taint.

    kubeadm taints the node of a control plane, kind takes that away afterwards. Where kind was killed in between, the
    node is Ready and useless.
    """

    def ready(item: dict[str, Any]) -> bool:
        conditions = item["status"].get("conditions", [])
        return any(
            condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
        ) and not any(taint["key"] == CONTROL_PLANE_TAINT for taint in item["spec"].get("taints", []))

    items = node_list.get("items") or []
    return bool(items) and all(ready(item) for item in items)


def verdict(cluster: str, node: Node | None, kubectl: str, kubeconfig: str) -> str:
    """Judge the cluster `cluster` with the container `node`, through `kubeconfig` and with the command `kubectl`.

    - `absent`: there is no node.
    - `dead`: its container does not run. An engine may say that it does where its processes were killed: then nothing
      can be started in it.
    - `unexported`: it runs, but it cannot be asked from here: no kubectl, no kubeconfig, or one of an earlier cluster.
    - `starting`: it runs, but the API server does not answer or the node is not Ready.
    - `healthy`: /readyz says so (https://kubernetes.io/docs/reference/using-api/health-checks/), and the node is Ready.
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
            return "healthy" if listed.status == 0 and nodes_ready(json.loads(listed.output)) else "starting"
        asked = not any(sign in health.errors for sign in _FOREIGN_CREDENTIALS)
    if ask([node.engine, "exec", node.name, "true"]).status:
        return "dead"
    return "starting" if asked else "unexported"
