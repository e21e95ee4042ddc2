# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout on a real API server is told by watches, and asked for where there are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from control_plane import ControlPlane
from engine import Apply
from fault_proxy import Fault, FaultProxy
from release_objects import a_release
from stand_in_kubelet import ready, stand_in_kubelet

START = 3.0  # seconds that a pod takes: some looks
WATCH = "watch=1"
DEPLOYMENTS = 2


@contextmanager
def slow_pods(control_plane: ControlPlane, namespace: str) -> Iterator[None]:
    """Let each pod of a namespace start, and become ready a while later."""
    seen: dict[str, float] = {}

    def status(pod: dict[str, Any]) -> dict[str, Any]:
        since = seen.setdefault(pod["metadata"]["uid"], time.monotonic())
        return ready() if time.monotonic() - since >= START else {"phase": "Pending"}

    with stand_in_kubelet(control_plane, namespace, status):
        yield


def rollout(apply: Apply, proxy: FaultProxy, namespace: str) -> list[str]:
    """Apply a release and wait for its pods. Return what was asked while it waited."""
    objects = a_release(namespace)
    assert sum(body["kind"] == "Deployment" for body in objects) == DEPLOYMENTS
    result = apply(objects, options={"host": proxy.url, "api_key": proxy.control_plane.token}, wait=True)
    assert result["changed"]
    last = max(number for number, seen in enumerate(proxy.seen) if seen.method == "PATCH")
    return [seen.path for seen in proxy.seen[last + 1 :]]


def test_a_rollout_that_is_told_asks_hardly_anything(
    apply: Apply, control_plane: ControlPlane, fault_proxy: FaultProxy, new_namespace: str
) -> None:
    with slow_pods(control_plane, new_namespace):
        asked = rollout(apply, fault_proxy, new_namespace)
    # Of each Deployment, itself and its pods. They are read once before, and until the watch has begun. A rollout that
    # is asked for would read each of them 6 times. A watch that tells late, on a busy machine, is begun anew
    assert 2 * DEPLOYMENTS <= sum(WATCH in path for path in asked) <= 3 * DEPLOYMENTS
    others = [path for path in asked if WATCH not in path and "/replicasets" not in path]
    assert len(others) <= 2 * DEPLOYMENTS * 2, others


FAULTS: dict[str, dict[str, Any]] = {"refused": {"status": 403}, "held back": {"delay": START}}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rollout_without_watches_is_asked_for(
    apply: Apply, control_plane: ControlPlane, fault_proxy: FaultProxy, new_namespace: str, fault: str
) -> None:
    fault_proxy.faults = [Fault("GET", WATCH, times=10**6, **FAULTS[fault])]
    with slow_pods(control_plane, new_namespace):
        asked = rollout(apply, fault_proxy, new_namespace)
    assert sum("/deployments/" in path for path in asked) > DEPLOYMENTS * START


def test_an_outage_amid_watches_is_outlived(
    apply: Apply, control_plane: ControlPlane, fault_proxy: FaultProxy, new_namespace: str
) -> None:
    """The API server goes away when both Deployments are watched: the watches end, and begin anew."""
    fault_proxy.faults = [Fault("GET", "/deployments?", skip=DEPLOYMENTS - 1, hook=lambda: fault_proxy.go_away(3.0))]
    with slow_pods(control_plane, new_namespace):
        rollout(apply, fault_proxy, new_namespace)
    assert not any(fault.times for fault in fault_proxy.faults)
