# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that controllers of other tools serve, with as much of their definitions as counts here.

There is no controller: a test plays it, and writes the status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from awaiting import await_true
from control_plane import ControlPlane
from release_objects import an_object
from repeating import repeating

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
GATEWAY_API, CERT_MANAGER = "gateway.networking.k8s.io", "cert-manager.io"
MERGE = "application/merge-patch+json"
NAME = "agentsmith-dispatcher"
TLS = "agentsmith-tls"
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
# Namespaced kinds, and those of the cluster
KINDS = [
    (GATEWAY_API, "Gateway", "Namespaced"),
    (GATEWAY_API, "HTTPRoute", "Namespaced"),
    (GATEWAY_API, "GatewayClass", "Cluster"),
    (CERT_MANAGER, "Certificate", "Namespaced"),
    (CERT_MANAGER, "CertificateRequest", "Namespaced"),
    (CERT_MANAGER, "Issuer", "Namespaced"),
    (CERT_MANAGER, "ClusterIssuer", "Cluster"),
]


def plural(kind: str) -> str:
    return kind.lower() + ("es" if kind.endswith("s") else "s")


def definition(group: str, kind: str, scope: str) -> dict[str, Any]:
    """Return the definition of a kind. Its status is a subresource; that of a Gateway is preset."""
    unknown = [
        {
            "type": name,
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for controller",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
        for name in ("Accepted", "Programmed")
    ]
    status = {**OPEN, **({"default": {"conditions": unknown}} if kind in ("Gateway", "GatewayClass") else {})}
    schema = {"type": "object", "properties": {"spec": OPEN, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural(kind), "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    # The API server asks for the approval in its own groups
    approved = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind)}.{group}", "annotations": approved if group == GATEWAY_API else {}},
        "spec": {
            "group": group,
            "scope": scope,
            "names": names,
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


@pytest.fixture(scope="module", autouse=True)
def served_kinds(control_plane: ControlPlane) -> Iterator[None]:
    """Have the kinds served to the tests of a module that imports this. In the end they go, with all their objects."""
    for kind in KINDS:
        status, answer = control_plane.request("POST", DEFINITIONS, definition(*kind))
        assert status == 201, answer
    paths = [f"/apis/{group}/v1/{plural(kind)}" for group, kind, _scope in KINDS]
    await_true(lambda: all(control_plane.request("GET", path)[0] == 200 for path in paths))
    yield
    paths = [f"{DEFINITIONS}/{plural(kind)}.{group}" for group, kind, _scope in KINDS]
    for path in paths:
        control_plane.request("DELETE", path)
    await_true(lambda: all(control_plane.request("GET", path)[0] == 404 for path in paths))


def a_gateway(namespace: str, class_name: str = "example", tls: bool = False) -> dict[str, Any]:
    listener: dict[str, Any] = {"name": "http", "port": 80, "protocol": "HTTP"}
    if tls:
        listener = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": TLS}]}}
    spec = {"gatewayClassName": class_name, "listeners": [listener]}
    return an_object(f"{GATEWAY_API}/v1", "Gateway", namespace, NAME, spec=spec)


def a_route(namespace: str, **parent: str) -> dict[str, Any]:
    spec = {"parentRefs": [parent or {"name": NAME}], "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}]}
    return an_object(f"{GATEWAY_API}/v1", "HTTPRoute", namespace, NAME, spec=spec)


def a_certificate(namespace: str, issuer: str = "letsencrypt", secret: str = TLS) -> dict[str, Any]:
    reference = {"group": CERT_MANAGER, "kind": "ClusterIssuer", "name": issuer}
    spec = {"secretName": secret, "dnsNames": ["agentsmith.example.com"], "issuerRef": reference}
    return an_object(f"{CERT_MANAGER}/v1", "Certificate", namespace, NAME, spec=spec)


def an_ingress(namespace: str, class_name: str = "", secret: str = TLS) -> dict[str, Any]:
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    paths = [{"path": "/slack", "pathType": "Prefix", "backend": backend}]
    spec: dict[str, Any] = {"rules": [{"host": "agentsmith.example.com", "http": {"paths": paths}}]}
    spec["tls"] = [{"hosts": ["agentsmith.example.com"], "secretName": secret}]
    if class_name:
        spec["ingressClassName"] = class_name
    return an_object("networking.k8s.io/v1", "Ingress", namespace, NAME, spec=spec)


def path_of(body: dict[str, Any]) -> str:
    """Return the path of an object of these kinds."""
    group, metadata = body["apiVersion"].split("/")[0], body["metadata"]
    space = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    return f"/apis/{group}/v1{space}/{plural(body['kind'])}/{metadata['name']}"


def a_class(kind: str, name: str) -> dict[str, Any]:
    """Return a GatewayClass or an IngressClass."""
    if kind == "GatewayClass":
        spec = {"controllerName": "example.com/gateways"}
        return {"apiVersion": f"{GATEWAY_API}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    spec = {"controller": "example.com/ingress"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def condition(kind: str, status: str, reason: str = "", message: str = "", generation: int = 1) -> dict[str, Any]:
    entry = {"type": kind, "status": status, "reason": reason or kind, "message": message}
    return {**entry, "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}


def write_status(control_plane: ControlPlane, body: dict[str, Any], status: Any) -> None:
    """Play the controller of an object that is there."""
    code, answer = control_plane.request("PATCH", f"{path_of(body)}/status", {"status": status}, MERGE)
    assert code == 200, answer


@contextmanager
def stand_in_controller(
    control_plane: ControlPlane, namespace: str, answers: dict[str, Callable[[dict[str, Any]], Any]]
) -> Iterator[None]:
    """Play the controllers of the objects NAME in *namespace*, for as long as the context lasts.

    :param answers: by kind, the status for an object; None where the controller writes none. May change meanwhile.
    """
    bodies = [make(namespace) for make in (a_gateway, a_route, a_certificate, an_ingress)]

    def look() -> None:
        for body in bodies:
            live = control_plane.get(path_of(body)) if body["kind"] in answers else None
            status = answers[body["kind"]](live) if live else None
            if live and status and live.get("status") != status:
                control_plane.request("PATCH", f"{path_of(body)}/status", {"status": status}, MERGE)

    with repeating(look, 0.05):
        yield
