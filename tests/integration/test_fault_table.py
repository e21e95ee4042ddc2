# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole deploy through every fault: it ends well, and as an undisturbed one. The tables of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from control_plane import ControlPlane
from engine import Apply, RunPlay
from fault_cases import CASES, ONE_OBJECT, POSITIONS, Case
from fault_proxy import Fault, FaultProxy, running_fault_proxy
from generated_part import agree, table
from other_tools import Kubectl, KubernetesCore, Tool
from release_objects import a_config_map, a_release
from stand_in_kubelet import ready, stand_in_kubelet
from test_apply_faults import service_account_admin
from transactions import Release

# Five outages of 60 s wait beside the others.
CONCURRENT_DEPLOYS = 9


@contextmanager
def a_target(control_plane: ControlPlane, namespace: str, directory: Path) -> Iterator[tuple[FaultProxy, Release]]:
    """A namespace-to-be whose pods run, and a release that reaches it through a proxy with a kubeconfig of its own."""
    with running_fault_proxy(control_plane, tls=True) as proxy, stand_in_kubelet(control_plane, namespace, ready()):
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
    agree("docs/reliability.md", "deploy", table([heading, *rows]))


def applied_through_faults(control_plane: ControlPlane, proxy: FaultProxy, namespace: str, tool: Tool) -> list[str]:
    """Apply one ConfigMap a fault, and judge each: `ok`, `fails`, or that the tool did not send what is spoilt."""
    objects, faults = [], []
    for number, case in enumerate(ONE_OBJECT):
        body = a_config_map(namespace, fault=case.name)
        body["metadata"]["name"] = f"{tool.title.split()[0]}-{number}"
        objects.append(body)
        faults.append(replace(case.at("first"), path=f"/configmaps/{body['metadata']['name']}"))
    proxy.faults += faults
    return [
        judged(control_plane, body, fault, well)
        for body, fault, well in zip(objects, faults, tool.apply(objects), strict=True)
    ]


def judged(control_plane: ControlPlane, body: dict[str, Any], fault: Fault, well: bool) -> str:
    """Judge how a tool that has *well* ended, or not, outlived the fault."""
    if fault.times:
        return "none sent"
    if not well:
        return "fails"
    metadata = body["metadata"]
    live = control_plane.get(f"/api/v1/namespaces/{metadata['namespace']}/configmaps/{metadata['name']}")
    return "ok" if live and live["data"] == body["data"] else "ends well without the object"


@dataclass
class Ours:
    """The engine, as the tasks of this collection run it."""

    apply_one: Apply
    kubeconfig: Path
    title: str = "ours"

    def apply(self, objects: list[dict[str, Any]]) -> list[bool]:
        """Apply each object in a run of its own; return which runs ended well."""

        def ends_well(body: dict[str, Any]) -> bool:
            try:
                return bool(self.apply_one([body], options={"kubeconfig": str(self.kubeconfig)})["changed"])
            except ApplyError:
                return False

        return [ends_well(body) for body in objects]


def test_one_object_through_every_fault_by_three_tools(
    apply: Apply,
    control_plane: ControlPlane,
    namespace: str,
    run_play: RunPlay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where kubernetes.core keeps what it once read of a server
    kubeconfig = tmp_path / "kubeconfig"
    with running_fault_proxy(control_plane, tls=True) as proxy, ThreadPoolExecutor() as executor:
        kubeconfig.write_text(control_plane.kubeconfig(server=proxy.url), encoding="utf-8")
        kubernetes_core, kubectl = KubernetesCore(kubeconfig, run_play), Kubectl(kubeconfig, tmp_path / "cache")
        tools: list[Tool] = [kubernetes_core, kubectl, Ours(apply, kubeconfig)]
        columns = list(executor.map(lambda tool: applied_through_faults(control_plane, proxy, namespace, tool), tools))
    assert columns[-1] == ["ok"] * len(ONE_OBJECT)
    rows = [[case.name, *cells] for case, *cells in zip(ONE_OBJECT, *columns, strict=True)]
    agree("docs/reliability.md", "one object", table([["fault on the first…", *(tool.title for tool in tools)], *rows]))
