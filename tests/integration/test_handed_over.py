# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves a release that still names it stays: others fill it now. And what comes back is taken from them.

There is no cert-manager: the test plays it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.execution import FIELD_MANAGER
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import KEEP_SECRET
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_config_map, a_deployment, a_release, a_secret, an_object
from repeating import repeating
from served_kinds import (  # noqa: F401  the fixture
    MERGE,
    NAME,
    TLS,
    a_certificate,
    an_ingress,
    condition,
    path_of,
    served_kinds,
)
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

APPLY = "application/apply-patch+yaml"
OURS, ISSUED = "MARKED-ours", "MARKED-issued"
GIVEN = "kubernetes.io/ingress.class"


@dataclass
class CertManager:
    """How it behaves. ``owns``: as with --enable-certificate-owner-ref."""

    refuses: bool = False
    owns: bool = False


@pytest.fixture
def release(control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace whose pods run."""
    with stand_in_kubelet(control_plane, new_namespace, lambda _pod: ready()):
        yield Release(new_namespace, connection_options)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret_path(namespace: str, name: str = TLS) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


@pytest.fixture
def cert_manager(control_plane: ControlPlane, release: Release) -> Iterator[CertManager]:
    """Play cert-manager: as long as there is a Certificate, its Secret holds what was issued."""
    played = CertManager()
    certificate = a_certificate(release.namespace)

    def look() -> None:
        live = control_plane.get(path_of(certificate))
        if live is None or "deletionTimestamp" in live["metadata"]:
            return
        conditions = [condition("Ready", "True")]
        if played.refuses:
            conditions = [condition("Ready", "False"), condition("Issuing", "False", "Failed", "not today")]
        else:
            control_plane.request(
                "PATCH", f"{secret_path(release.namespace)}?{force}", issued(live, played.owns), APPLY
            )
        if live.get("status") != {"conditions": conditions}:
            status = {"status": {"conditions": conditions}}
            control_plane.request("PATCH", f"{path_of(certificate)}/status", status, MERGE)

    force = "fieldManager=cert-manager-certificates-issuing&force=true"
    with repeating(look, 0.05):
        yield played


def issued(certificate: dict[str, Any], owns: bool) -> dict[str, Any]:
    """Return the Secret as cert-manager applies it."""
    metadata = certificate["metadata"]
    owner = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": NAME, "uid": metadata["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": TLS,
            "namespace": metadata["namespace"],
            "annotations": {"cert-manager.io/certificate-name": NAME},
            "labels": {"controller.cert-manager.io/fao": "true"},
            **({"ownerReferences": [{**owner, "controller": True}]} if owns else {}),
        },
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": encoded(ISSUED), "tls.key": encoded(ISSUED)},
    }


def with_certificate(namespace: str) -> list[dict[str, Any]]:
    """Return a release as with dispatcher_tls: certificate."""
    data = {"tls.crt": encoded(OURS), "tls.key": encoded(OURS)}
    secret = an_object("v1", "Secret", namespace, TLS, type="kubernetes.io/tls", data=data)
    return [*with_secret(namespace), secret]


def with_issuer(namespace: str) -> list[dict[str, Any]]:
    certificate = a_certificate(namespace)
    certificate["spec"]["issuerRef"]["group"] = "issuers.example.com"  # of which nobody asks whether it is there
    return [*with_secret(namespace), certificate]


def with_secret(namespace: str) -> list[dict[str, Any]]:
    ingress = an_ingress(namespace)
    ingress["metadata"]["annotations"] = {GIVEN: "example"}
    return [*a_release(namespace), ingress]


def state(control_plane: ControlPlane, namespace: str, name: str = TLS) -> tuple[str, dict[str, Any], Any]:
    """Return uid, data and metadata of a Secret."""
    live = control_plane.get(secret_path(namespace, name))
    assert live, f"{name} is gone"
    return live["metadata"]["uid"], live["data"], live["metadata"]


WAYS: list[tuple[Callable[[str], Any], Callable[[str], Any], str, bool]] = [
    (with_certificate, with_issuer, ISSUED, False),
    (with_certificate, with_secret, OURS, False),
    (with_issuer, with_secret, ISSUED, False),
    (with_issuer, with_secret, ISSUED, True),
    (with_issuer, with_certificate, OURS, False),
    (with_issuer, with_certificate, OURS, True),
]


@pytest.mark.parametrize(("before", "after", "content", "owns"), WAYS)
def test_another_source_of_the_certificate_leaves_no_gap(
    release: Release,
    control_plane: ControlPlane,
    cert_manager: CertManager,
    before: Callable[[str], Any],
    after: Callable[[str], Any],
    content: str,
    owns: bool,
) -> None:
    cert_manager.owns = owns
    space = release.namespace
    assert release.deploy(before(space), force_conflicts=False)["commit"]["recorded"]
    uid, _data, _metadata = state(control_plane, space)
    steps = release.deploy(after(space))
    assert steps["commit"]["recorded"], steps
    assert OURS not in str(steps) and ISSUED not in str(steps)
    found, data, metadata = state(control_plane, space)
    assert (found, data["tls.crt"]) == (uid, encoded(content))
    managers = {entry["manager"] for entry in metadata.get("managedFields", [])}
    if after is with_certificate:
        assert managers == {FIELD_MANAGER}
        assert "annotations" not in metadata
    else:
        assert FIELD_MANAGER not in managers, metadata["managedFields"]
        assert "app.kubernetes.io/managed-by" not in metadata.get("labels", {})
    # Or the garbage collector would take it with the Certificate
    assert "ownerReferences" not in metadata
    if before is with_certificate:
        assert f"Secret {space}/{TLS} is no longer an object of the release" in str(steps["commit"]["warnings"])
    assert not release.deploy(after(space))["apply"]["transaction"]["opened"], "nothing is left to do"


def test_a_certificate_that_is_not_issued_gives_the_old_one_back(
    release: Release, control_plane: ControlPlane, cert_manager: CertManager
) -> None:
    space = release.namespace
    assert release.deploy(with_certificate(space))["commit"]["recorded"]
    before = state(control_plane, space)[:2]
    cert_manager.refuses = True
    steps = release.deploy(with_issuer(space))
    assert "Issuing is False, Failed: not today" in steps["apply"]["msg"]
    assert steps["restore"]["restored"]
    assert state(control_plane, space)[:2] == before
    assert control_plane.get(path_of(a_certificate(space))) is None
    assert not release.deploy(with_certificate(space))["apply"]["transaction"]["opened"]


def test_what_was_issued_before_a_deploy_failed_is_given_up_again(
    release: Release, control_plane: ControlPlane, cert_manager: CertManager
) -> None:
    del cert_manager
    space = release.namespace
    assert release.deploy(with_certificate(space))["commit"]["recorded"]
    applied = release.apply(with_issuer(space))
    assert state(control_plane, space)[1]["tls.crt"] == encoded(ISSUED)
    assert release.restore(holder=applied["transaction"]["holder"])["restored"]
    assert state(control_plane, space)[1]["tls.crt"] == encoded(OURS)
    assert not release.deploy(with_certificate(space))["apply"]["transaction"]["opened"]


def test_a_secret_and_a_configmap_that_pods_still_read_stay(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    owner = Owner(namespace, "agentsmith")
    reader = a_deployment(namespace, "dispatcher", "redis-url")
    reader["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "configMap": {"name": "agentsmith-config"}},
        {"name": "token", "emptyDir": {}},
    ]
    unread = an_object("v1", "Secret", namespace, "unread", stringData={"a": "MARKED-unread"})
    given = [a_secret(namespace, **{"redis-url": "redis:6379"}), a_config_map(namespace, a="b"), unread]
    apply([reader, *given])
    uid = state(control_plane, namespace, "agentsmith-secrets")[0]
    preview = apply([reader], prune=owner, check_mode=True, diff_mode=True)
    result = apply([reader], prune=owner, diff_mode=True)
    assert preview["objects"] == result["objects"]
    results = {f"{entry['kind']}/{entry['name']}": entry["result"] for entry in result["objects"]}
    assert results == {
        "Deployment/dispatcher": "unchanged",
        "Secret/agentsmith-secrets": "updated",
        "ConfigMap/agentsmith-config": "updated",
        "Secret/unread": "deleted",
    }
    assert "metadata.labels[app.kubernetes.io/managed-by]" in str(result["objects"])
    assert state(control_plane, namespace, "agentsmith-secrets")[0] == uid
    again = apply([reader], prune=owner)
    assert not again["changed"] and again["requests"]["write"] == 0


def die_while_deleting(control_plane: ControlPlane, path: str) -> None:
    """Leave a Certificate as a run does that is killed before its Secret is nobody's."""
    assert control_plane.request("PATCH", path, {"metadata": {"finalizers": [KEEP_SECRET]}}, MERGE)[0] == 200
    assert control_plane.request("DELETE", path)[0] == 200


def test_a_run_that_died_while_the_secret_was_being_freed_is_completed(
    release: Release, control_plane: ControlPlane, cert_manager: CertManager
) -> None:
    cert_manager.owns = True
    space = release.namespace
    assert release.deploy(with_issuer(space))["commit"]["recorded"]
    uid = state(control_plane, space)[0]
    path = path_of(a_certificate(space))
    die_while_deleting(control_plane, path)
    assert "ownerReferences" in state(control_plane, space)[2]
    assert release.deploy(with_certificate(space))["commit"]["recorded"]
    found, data, metadata = state(control_plane, space)
    assert (found, data["tls.crt"]) == (uid, encoded(OURS))
    assert "ownerReferences" not in metadata
    assert control_plane.get(path) is None


def test_a_certificate_that_a_run_which_died_was_deleting_is_made_anew(
    release: Release, control_plane: ControlPlane, cert_manager: CertManager
) -> None:
    """The way back from a deploy that died there, and a deploy with the issuer again."""
    cert_manager.owns = True
    space = release.namespace
    assert release.deploy(with_issuer(space))["commit"]["recorded"]
    path = path_of(a_certificate(space))
    before = control_plane.get(path)["metadata"]["uid"]
    die_while_deleting(control_plane, path)
    release.deploy(with_issuer(space))
    found = control_plane.get(path)["metadata"]
    assert (found["uid"] != before, "deletionTimestamp" in found, "finalizers" in found) == (True, False, False)


def test_a_certificate_that_nobody_wants_is_let_go(
    release: Release, control_plane: ControlPlane, cert_manager: CertManager
) -> None:
    cert_manager.owns = True
    space = release.namespace
    assert release.deploy(with_issuer(space))["commit"]["recorded"]
    path = path_of(a_certificate(space))
    die_while_deleting(control_plane, path)
    without = [body for body in with_certificate(space) if body["kind"] not in ("Secret", "Ingress", "Gateway")]
    assert release.deploy(without)["commit"]["recorded"]
    assert control_plane.get(path) is None
