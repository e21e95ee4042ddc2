# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole deploy through every fault: it ends well, and as an undisturbed one. The tables of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane
from engine import Apply
from fault_cases import CASES, ONE_OBJECT, POSITIONS, Case
from fault_proxy import Fault, FaultProxy, running_fault_proxy
from release_objects import a_config_map, a_release
from reliability_document import agree, table
from stand_in_kubelet import ready, stand_in_kubelet
from test_apply_faults import behind, service_account_admin
from transactions import Release

# Five outages of 60 s wait beside the others.
CONCURRENT_DEPLOYS = 9

# Measured before this collection was written: kubernetes.core 6.x and kubectl 1.32, one ConfigMap, server-side apply.
OTHERS = {
    "write, 429": ("fails", "ok"),
    "write, 503": ("fails", "ok"),
    "write, 500": ("fails", "ok"),
    "write, connection dropped": ("fails", "fails"),
    "read, 429": ("ok", "ok"),
    "read, 503": ("ok", "ok"),
    "read, connection dropped": ("ok", "ok"),
    "read, 500": ("fails", "ok"),
}


@contextmanager
def a_target(control_plane: ControlPlane, namespace: str, directory: Path) -> Iterator[tuple[FaultProxy, Release]]:
    """A namespace-to-be whose pods run, and a release that reaches it through a proxy with a kubeconfig of its own."""
    with running_fault_proxy(control_plane) as proxy, stand_in_kubelet(control_plane, namespace, ready()):
        kubeconfig = directory / f"{namespace}.kubeconfig"
        kubeconfig.write_text(control_plane.kubeconfig(server=proxy.url), encoding="utf-8")
        yield proxy, Release(namespace, {"kubeconfig": str(kubeconfig)})


def expire(proxy: FaultProxy, release: Release, fresh: str) -> None:
    """Put a fresh token into the kubeconfig of a release, and let the old one expire for good.

    In this order: of the requests that are on their way beside the one that is refused, each reads it again once.
    """
    kubeconfig = Path(release.options["kubeconfig"])
    renewed = kubeconfig.with_suffix(".renewed")
    renewed.write_text(proxy.control_plane.kubeconfig(token=fresh, server=proxy.url), encoding="utf-8")
    renewed.replace(kubeconfig)  # at once, as kubectl writes it: somebody may be reading
    proxy.faults.append(Fault(method="", token=proxy.control_plane.token, status=401, times=10**6))


def outcome(control_plane: ControlPlane, case: Case, position: str, directory: Path, fresh: str) -> str:
    """Deploy through one fault and judge what came of it: `ok`, or what is wrong."""
    namespace = f"fault-{CASES.index(case)}-{position}"
    objects = a_release(namespace)
    with a_target(control_plane, namespace, directory) as (proxy, release):
        fault = case.at(position)
        if fault.status == 401:
            fault.hook = lambda: expire(proxy, release, fresh)
        proxy.faults.append(fault)
        steps = release.deploy(objects, wait_timeout=200)
        failed = [step["msg"] for step in steps.values() if step.get("failed")]
        if failed:
            return f"fails: {failed[0]}"
        if fault.times:
            return "the fault was never met"
        again = release.deploy(objects)["apply"]
        if again.get("failed") or again["requests"]["write"]:
            return f"not as an undisturbed deploy: {again}"
    leases = control_plane.get(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")["items"]
    return "the lock was left behind" if leases else "ok"


@pytest.mark.usefixtures("connections_open_in_turn")
def test_a_deploy_through_every_fault(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    fresh = service_account_admin(control_plane, namespace)
    tried = [(case, position) for case in CASES for position in case.positions]
    with ThreadPoolExecutor(CONCURRENT_DEPLOYS) as executor:
        outcomes = executor.map(lambda pair: outcome(control_plane, *pair, tmp_path, fresh), tried)
        found = dict(zip(((case.name, position) for case, position in tried), outcomes, strict=True))
    wrong = {pair: text for pair, text in found.items() if text != "ok"}
    assert not wrong
    rows = [[case.name, *(found.get((case.name, position), "-") for position in POSITIONS)] for case in CASES]
    heading = ["fault", "on the first request", "on a write in the middle", "while waiting"]
    heading += ["at the start of the commit", "on the last request"]
    agree("deploy", table([heading, *rows]))


def test_the_faults_that_others_were_tried_with(
    apply: Apply, control_plane: ControlPlane, namespace: str, fault_proxy: FaultProxy
) -> None:
    rows = []
    for case in ONE_OBJECT:
        fault = case.at("first")
        fault_proxy.faults = [fault]
        config_map: dict[str, Any] = a_config_map(namespace, fault=case.name)
        result = apply([config_map], options=behind(fault_proxy))
        assert result["changed"] and not fault.times
        path = f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config"
        assert control_plane.get(path)["data"] == {"fault": case.name}
        rows.append([case.name, *OTHERS[case.name], "ok"])
    agree("one object", table([["fault on the first…", "kubernetes.core.k8s", "kubectl 1.32", "ours"], *rows]))
