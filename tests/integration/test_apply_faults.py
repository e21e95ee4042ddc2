# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine behind a proxy that spoils requests: what passes is outlived, and nothing is written twice or lost."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import retry
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from control_plane import ControlPlane, free_port
from engine import Apply
from fault_proxy import Fault, FaultProxy
from release_objects import a_config_map, a_release

FAULTS = {
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}},
    "500": {"status": 500},
    "503": {"status": 503},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "1"}},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "twice": {"status": 503, "times": 2},
}


WRITTEN_PATHS = (
    "/serviceaccounts/",
    "/roles/",
    "/rolebindings/",
    "/secrets/",
    "/configmaps/",
    "/services/",
    "/deployments/redis",
    "/deployments/agentsmith-dispatcher",
    "/networkpolicies/",
    "/api/v1/namespaces/",
)


def behind(proxy: FaultProxy) -> dict[str, Any]:
    """Return the connection options that lead through the proxy."""
    return {"host": proxy.url, "api_key": proxy.control_plane.token}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_passing_fault_is_outlived(
    apply: Apply, control_plane: ControlPlane, fault_proxy: FaultProxy, namespace: str, method: str, fault: str
) -> None:
    fault_proxy.faults = [Fault(method, "/configmaps/", **FAULTS[fault])]
    started = time.monotonic()
    result = apply([a_config_map(namespace, key="value")], options=behind(fault_proxy))
    assert [entry["result"] for entry in result["objects"]] == ["created"]
    assert control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config")["data"] == {"key": "value"}
    times = FAULTS[fault].get("times", 1)
    assert result["requests"]["write"] == fault_proxy.count("PATCH") == 1 + (times if method == "PATCH" else 0)
    if "Retry-After" in fault:
        assert time.monotonic() - started >= 1
    assert not apply([a_config_map(namespace, key="value")])["changed"]


@pytest.mark.parametrize("fault", ["503", "dropped before", "dropped after"])
def test_a_delete_outlives_a_fault(
    apply: Apply, control_plane: ControlPlane, fault_proxy: FaultProxy, namespace: str, fault: str
) -> None:
    apply([a_config_map(namespace)])
    fault_proxy.faults = [Fault("DELETE", **FAULTS[fault])]
    result = apply([a_config_map(namespace)], options=behind(fault_proxy), state="absent", wait=True)
    assert [entry["result"] for entry in result["objects"]] == ["deleted"]
    assert control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config") is None


def test_a_namespace_whose_deletion_got_through_unheard(
    apply: Apply, fault_proxy: FaultProxy, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    fault_proxy.faults = [Fault("DELETE", f"/namespaces/{new_namespace}", drop="after")]
    result = apply(objects[:1], options=behind(fault_proxy), state="absent")
    assert [entry["result"] for entry in result["objects"]] == ["deleted"]


@pytest.mark.parametrize("fault", ["500", "dropped before"])
def test_discovery_outlives_a_fault(apply: Apply, fault_proxy: FaultProxy, namespace: str, fault: str) -> None:
    fault_proxy.faults = [Fault("GET", path, **FAULTS[fault]) for path in ("/version", "/apis", "/openapi")]
    assert apply([a_config_map(namespace)], options=behind(fault_proxy))["changed"]
    assert not any(fault.times for fault in fault_proxy.faults)


def test_every_write_of_a_release_may_be_dropped_after_it_landed(
    apply: Apply, fault_proxy: FaultProxy, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    # One for each object: the path of a write ends with its name.
    fault_proxy.faults = [Fault("PATCH", path, drop="after") for path in WRITTEN_PATHS]
    result = apply(objects, options=behind(fault_proxy))
    assert result["requests"]["write"] == 2 * len(objects)
    assert not apply(objects)["changed"]


def test_an_expired_credential_is_read_again(
    apply: Apply, control_plane: ControlPlane, tls_fault_proxy: FaultProxy, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(server=tls_fault_proxy.url), encoding="utf-8")
    fresh = service_account_admin(control_plane, namespace)

    def expire() -> None:
        kubeconfig.write_text(control_plane.kubeconfig(token=fresh, server=tls_fault_proxy.url), encoding="utf-8")

    tls_fault_proxy.faults = [Fault("PATCH", status=401, hook=expire)]
    result = apply([a_config_map(namespace)], options={"kubeconfig": str(kubeconfig)})
    assert result["changed"]
    assert [seen.token for seen in tls_fault_proxy.seen if seen.method == "PATCH"] == [control_plane.token, fresh]


def test_a_credential_is_read_again_only_once(apply: Apply, fault_proxy: FaultProxy, namespace: str) -> None:
    fault_proxy.faults = [Fault("PATCH", status=401, times=9)]
    with pytest.raises(ApplyError, match="401"):
        apply([a_config_map(namespace)], options=behind(fault_proxy))
    assert fault_proxy.count("PATCH") == 2


def test_an_outage_between_two_writes_is_outlived(apply: Apply, fault_proxy: FaultProxy, new_namespace: str) -> None:
    seconds = 3.0
    back = threading.Event()
    outage = Fault("PATCH", "/secrets/", drop="before", times=10**6)

    def end() -> None:
        if not back.is_set():
            back.set()
            timer = threading.Timer(seconds, lambda: setattr(outage, "times", 0))
            timer.daemon = True
            timer.start()

    outage.hook = end
    fault_proxy.faults = [outage]
    started = time.monotonic()
    assert apply(a_release(new_namespace), options=behind(fault_proxy))["changed"]
    assert time.monotonic() - started >= seconds


def test_a_server_that_stays_away_is_given_up(
    apply: Apply, fault_proxy: FaultProxy, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "OUTAGE_PERIOD", 1.0)
    fault_proxy.faults = [Fault("PATCH", drop="before", times=10**6)]
    with pytest.raises(ApplyError, match="stopped answering and did not come back") as caught:
        apply([a_config_map(namespace)], options=behind(fault_proxy))
    assert fault_proxy.url in str(caught.value)


def test_a_server_that_accepts_and_never_answers(apply: Apply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_CONTACT_PERIOD", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(ApplyError, match="does not answer") as caught:
            apply([], options={"host": url, "api_key": "token"})
    assert time.monotonic() - started < 5
    assert url in str(caught.value)


def test_an_unreachable_server_is_reported_within_15_seconds(
    apply: Apply, play: Any, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Of which Ansible may take 3: how long it takes beside other tests says nothing, so the engine alone is timed."""
    kubeconfig = tmp_path / "kubeconfig"
    url = f"https://127.0.0.1:{free_port()}"
    kubeconfig.write_text(control_plane.kubeconfig(server=url, context="kind-agentsmith"), encoding="utf-8")
    options = {"kubeconfig": str(kubeconfig)}
    with ThreadPoolExecutor() as executor:
        playing = executor.submit(play, [], options)
        started = time.monotonic()
        with pytest.raises(ApplyError, match="does not answer"):
            apply([], options)
        assert time.monotonic() - started <= 12
    ended = playing.result()
    assert ended.returncode == 2
    assert f"The API server {url} (context kind-agentsmith) does not answer" in " ".join(ended.stdout.split())


def service_account_admin(control_plane: ControlPlane, namespace: str) -> str:
    """Return the token of a ServiceAccount that may do everything."""
    rbac = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": namespace},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "admin", "namespace": namespace}],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "admin"}}
    for path, body in (
        (f"/apis/{rbac}/v1/clusterrolebindings", binding),
        (f"/api/v1/namespaces/{namespace}/serviceaccounts", account),
    ):
        assert control_plane.request("POST", path, body)[0] == 201
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/admin/token"
    return control_plane.request("POST", path, request)[1]["status"]["token"]
