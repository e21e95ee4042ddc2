# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for bringing up a local cluster: every decision, before anything is changed."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import container_engine, container_registry, host_port, toolchain
from .command import LocalClusterError
from .node_source import choose_source

_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Wish:
    """What is asked for; the options of agentsmith.dev.kind_cluster_plan."""

    engine: str
    source: str
    registry_image: str
    built_image: str
    node: str
    node_image: str
    node_engine: str
    binaries_dir: str
    cache_dir: str
    go_mod: str
    kind_version: str
    free_space: int
    host_address: str
    host_ports: list[int]


def cgroup_version() -> int:
    """Return 2 where the host has the unified hierarchy alone, else 1."""
    return 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() or platform.system() != "Linux" else 1


def make_plan(wish: Wish) -> dict[str, Any]:
    """Return the plan, as agentsmith.dev.kind_cluster_plan documents it.

    Raises LocalClusterError where something is missing that the role cannot supply.
    """
    if not wish.node_image:
        for port in wish.host_ports:
            _check_port(wish, port)
    root = os.geteuid() == 0
    chosen = (
        container_engine.Engine(wish.node_engine)
        if wish.node_engine
        else container_engine.choose_engine(wish.engine, root=root)
    )
    present = container_engine.images(chosen.name, container_engine.environment(chosen.name, wish.cache_dir))
    source = choose_source(
        wish.source,
        present=present,
        node=wish.node_image,
        registry_image=wish.registry_image,
        built_image=wish.built_image,
        registry_answers=lambda: container_registry.answers(wish.registry_image),
    )
    plan: dict[str, Any] = {
        "engine": chosen.name,
        "packages": chosen.missing_packages,
        "ulimits": container_engine.ulimits(),
        "cgroup": cgroup_version(),
        "source": source,
        "platform": f"{platform.system().lower()}/{_PROCESSORS.get(platform.machine(), platform.machine())}",
        "compile": False,
        "build": False,
        "go": "",
    }
    if source == "registry":
        return {
            **plan,
            "image": wish.registry_image,
            "kind": toolchain.usable_kind(wish.kind_version),
            "kubectl": toolchain.usable_kubectl(wish.registry_image.rpartition(":v")[2]),
        }
    return {**plan, **_building(wish, chosen, present, root)}


def _check_port(wish: Wish, port: int) -> None:
    """Raise LocalClusterError where anything but the node itself, which may lie dead, has the port."""
    if host_port.is_free(wish.host_address, port):
        return
    owner = host_port.owner(port)
    if wish.node and wish.node in owner.split():
        return
    raise LocalClusterError(
        f"Port {port} of {wish.host_address} (local_cluster_host_port, local_cluster_extra_ports) is taken"
        f"{' by ' + owner if owner else ''}. Stop what listens there, or set the variable to a free port."
    )


def _building(wish: Wish, chosen: container_engine.Engine, present: set[str], root: bool) -> dict[str, Any]:
    """Return the part of the plan for a node image that is built here, after checking what that needs."""
    compiled = Path(wish.binaries_dir).is_dir()
    # A node that runs needs no image, only the commands.
    built = bool(wish.node_image) or wish.built_image in present
    packages = list(chosen.missing_packages)
    go = ""
    needed_room = []
    if not built:
        packages += _bootstrap_packages(root)
        needed_room += [container_engine.storage_directory(chosen.name), wish.cache_dir]
    if not compiled:
        go = toolchain.find_go(wish.go_mod)
        needed_room += [wish.cache_dir, *toolchain.go_caches(go)]
    toolchain.check_free_space(needed_room, wish.free_space)
    return {
        "packages": packages,
        "image": wish.built_image,
        "compile": not compiled,
        "build": not built,
        "go": go,
        "kind": str(Path(wish.binaries_dir) / "kind"),
        "kubectl": str(Path(wish.binaries_dir) / "kubectl"),
    }


def _bootstrap_packages(root: bool) -> list[str]:
    """Return the packages that a base image lacks. Raises LocalClusterError where they cannot be installed."""
    if shutil.which("mmdebstrap"):
        return []
    if root and shutil.which("apt-get"):
        # It checks signatures with the keyring, which Ubuntu does not have.
        return ["mmdebstrap", "debian-archive-keyring"]
    raise LocalClusterError(
        "No container registry answers, so the node image has to be built, which needs mmdebstrap: "
        "install that package, run as root on Debian or Ubuntu, "
        "or set local_cluster_registry_image to an image in a registry that answers here."
    )
