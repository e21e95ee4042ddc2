# SPDX-License-Identifier: GPL-3.0-or-later
"""A teardown and the Secret that cert-manager has filled for the release. The test plays cert-manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from awaiting import await_true
from control_plane import ControlPlane
from engine import Apply
from fault_proxy import Fault, FaultProxy
from release_objects import a_config_map, an_object
from repeating import repeating
from served_kinds import (  # noqa: F401  the fixture
    NAME,
    TLS,
    a_certificate,
    path_of,
    served_kinds,
)
from test_apply_faults import behind

KEY = "MARKED-private-key"
Tear = Callable[..., dict[str, Any]]


@pytest.fixture
def tear_down(connection_options: dict[str, Any], new_namespace: str) -> Tear:
    def run(options: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        with Connection(options or connection_options) as connection:
            given = TeardownSettings(**{"timeout": 30, **settings})
            teardown = Teardown(connection, Owner(new_namespace, "agentsmith"), given)
            teardown.execute()
            return {**teardown.result(), "writes": connection.requests["write"]}

    return run


@pytest.fixture
def issued(control_plane: ControlPlane, apply: Apply, new_namespace: str) -> Iterator[str]:
    """A release in a namespace of its own whose certificate is issued, again and again; return the Secret's path."""
    certificate = a_certificate(new_namespace)
    apply([an_object("v1", "Namespace", "", new_namespace), a_config_map(new_namespace, a="b"), certificate])
    secrets = f"/api/v1/namespaces/{new_namespace}/secrets"

    def secret(name: str, of: str) -> dict[str, Any]:
        metadata = {"name": name, "annotations": {"cert-manager.io/certificate-name": of}}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"tls.key": KEY}}

    def look() -> None:
        if control_plane.get(path_of(certificate)) and not control_plane.get(f"{secrets}/{TLS}"):
            control_plane.request("POST", secrets, secret(TLS, NAME))

    # Of somebody else's Certificate
    assert control_plane.request("POST", secrets, secret("theirs", "another"))[0] == 201
    with repeating(look, 0.02):
        await_true(lambda: control_plane.get(f"{secrets}/{TLS}"))
        yield f"{secrets}/{TLS}"


def results(result: dict[str, Any]) -> dict[str, str]:
    return {f"{entry['kind']}/{entry['name']}": entry["result"] for entry in result["objects"]}


def test_it_stays_and_is_named(control_plane: ControlPlane, tear_down: Tear, issued: str) -> None:
    for result in (tear_down(check_mode=True), tear_down()):
        assert f"Secret/{TLS}" not in results(result)
        assert result["issued_secrets"] == [TLS]
        assert f"Secrets that stay: {TLS}." in result["text"]
        assert "teardown_issued_secrets=delete" in result["text"]
        assert KEY not in str(result)
    assert control_plane.get(issued)
    assert "app.kubernetes.io/instance" not in control_plane.get(issued)["metadata"].get("labels", {})


def test_it_goes_on_request_and_nothing_of_others(
    control_plane: ControlPlane, tear_down: Tear, issued: str, new_namespace: str
) -> None:
    preview = tear_down(check_mode=True, issued_secrets="delete")
    assert preview["writes"] == 0
    result = tear_down(issued_secrets="delete")
    assert results(preview) == results(result)
    assert results(result)[f"Secret/{TLS}"] == "deleted"
    assert "Secrets that stay" not in result["text"]
    assert control_plane.get(issued) is None
    assert result["namespace"]["foreign"] == preview["namespace"]["foreign"] == ["Secret theirs"]
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}/secrets/theirs")


def test_a_teardown_that_died_after_the_certificate_is_completed(
    control_plane: ControlPlane, tear_down: Tear, issued: str, fault_proxy: FaultProxy
) -> None:
    fault_proxy.faults = [Fault(method="DELETE", path=f"/secrets/{TLS}", status=403, times=1)]
    with pytest.raises(ApplyError):
        tear_down(behind(fault_proxy), issued_secrets="delete")
    assert control_plane.get(issued)
    assert results(tear_down())[f"Secret/{TLS}"] == "deleted"
    assert control_plane.get(issued) is None


def test_a_missing_right_stops_it_before_anything_is_deleted(
    control_plane: ControlPlane, tear_down: Tear, issued: str, new_namespace: str
) -> None:
    account, binding = an_object("v1", "ServiceAccount", new_namespace, "narrow"), {"name": "narrow"}
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "create", "delete"]}]
    role = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": new_namespace}, "rules": rules}
    reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": new_namespace}
    subject = {"kind": "ServiceAccount", "namespace": new_namespace, **binding}
    bound = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": new_namespace}}
    account["metadata"]["labels"] = {}
    for path, body in (
        (f"/api/v1/namespaces/{new_namespace}/serviceaccounts", account),
        (f"/apis/{rbac}/v1/clusterroles", role),
        (f"/apis/{rbac}/v1/clusterrolebindings", {**bound, "roleRef": reference, "subjects": [subject]}),
    ):
        assert control_plane.request("POST", path, body)[0] == 201
    token = control_plane.request(
        "POST", f"/api/v1/namespaces/{new_namespace}/serviceaccounts/narrow/token", {"spec": {}}
    )[1]["status"]["token"]
    options = {"host": control_plane.url, "api_key": token, "ca_cert": str(control_plane.ca_file)}
    with pytest.raises(ApplyError, match=f"patch secrets: for Secret {new_namespace}/{TLS}, to mark it"):
        tear_down(options, issued_secrets="delete")
    assert control_plane.get(path_of(a_certificate(new_namespace))) and control_plane.get(issued)
