# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status of an object, and the cluster around it, say about whether a controller serves it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.conditions.surroundings import Surroundings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.conditions.wait import judge
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from fake_connection import FakeConnection

GATEWAY_API = "gateway.networking.k8s.io/v1"
CLASSES = f"/apis/{GATEWAY_API}/gatewayclasses"
GATEWAYS = f"/apis/{GATEWAY_API}/namespaces/edge/gateways"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
CERT_MANAGER = "/apis/cert-manager.io/v1"
TIMES = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]
FORBIDDEN = ApiError(403, "Forbidden", "forbidden")


def condition(kind: str, status: str, reason: str = "", message: str = "", observed: int = 2) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": observed}


# As the definition of the kind presets them
PRESET = [
    {"type": kind, "status": "Unknown", "reason": "Pending", "message": "Waiting for controller"}
    for kind in ("Accepted", "Programmed")
]
GOOD = [condition("Accepted", "True"), condition("Programmed", "True")]
NO_SECRET = condition("ResolvedRefs", "False", "InvalidCertificateRef", "Secret agentsmith-tls not found")


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "n", "generation": 2, **more.pop("metadata", {})}, **more}


def listed(*bodies: Any) -> dict[str, Any]:
    return {"items": list(bodies)}


def gateway_class(name: str = "example", **accepted: str) -> dict[str, Any]:
    status = {"conditions": [condition("Accepted", **accepted)]} if accepted else {}
    return named(name, spec={"controllerName": "example.com/gateways"}, status=status)


def gateway(conditions: Any, *listeners: Any) -> dict[str, Any]:
    """Return a Gateway; *listeners*: a list of conditions each, of `https` first."""
    names = ("https", "http")
    tls = {"certificateRefs": [{"name": "agentsmith-tls"}]}
    spec = {"gatewayClassName": "example", "listeners": [{"name": "https", "tls": tls}, {"name": "http"}]}
    found = [{"name": name, "conditions": entry} for name, entry in zip(names, listeners, strict=False)]
    status = {"conditions": conditions, "listeners": found}
    return {"apiVersion": GATEWAY_API, "kind": "Gateway", **named("agentsmith-dispatcher", spec=spec, status=status)}


def route(*answers: Any, parents: Any = None, kind: str = "HTTPRoute") -> dict[str, Any]:
    """Return a route; *answers*: pairs of the parent that is answered for, and its conditions."""
    spec = {"parentRefs": parents or [{"name": "public", "namespace": "edge"}]}
    status = {"parents": [{"parentRef": parent, "conditions": conditions} for parent, conditions in answers]}
    return {"apiVersion": GATEWAY_API, "kind": kind, **named("agentsmith-dispatcher", spec=spec, status=status)}


def ingress(class_name: str = "", address: bool = False, times: Any = None, **metadata: Any) -> dict[str, Any]:
    """Return an Ingress; *times*: when we wrote it, and when a controller did."""
    ours, theirs = times or TIMES
    fields = [{"manager": "agentsmith.platform", "operation": "Apply", "time": ours, "fieldsV1": {"f:spec": {}}}]
    fields += (
        [{"manager": "traefik", "operation": "Update", "time": theirs, "subresource": "status"}] if address else []
    )
    body = named("agentsmith-dispatcher", metadata={"managedFields": fields, **metadata})
    addresses = {"ingress": [{"ip": "192.0.2.1"}]} if address else {}
    spec = {"ingressClassName": class_name} if class_name else {}
    status = {"loadBalancer": addresses}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **body, "spec": spec, "status": status}


def certificate(*conditions: Any, issuer: str = "letsencrypt", kind: str = "ClusterIssuer") -> dict[str, Any]:
    spec = {"secretName": "agentsmith-tls", "issuerRef": {"kind": kind, "name": issuer}}
    body = named("agentsmith-dispatcher", spec=spec, status={"conditions": list(conditions)})
    return {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", **body}


PUBLIC = {"name": "public", "namespace": "edge"}
EXAMPLE = {CLASSES: listed(gateway_class(status="True"))}
TAKEN = [condition("Accepted", "True"), condition("ResolvedRefs", "True")]
NOT_ALLOWED = [condition("Accepted", "False", "NotAllowedByListeners", "no listener allows the namespace n")]
ISSUER = {f"{CERT_MANAGER}/clusterissuers/letsencrypt": named("letsencrypt")}
NOT_READY = condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist")
FAILED = condition("Issuing", "False", "Failed", "will be retried: acme: 429 rateLimited")
IN_CLUSTER = {INGRESS_CLASSES: listed(named("nginx"), named("traefik"))}
DEFAULT = named("nginx", metadata={"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}})
TRYING = [condition("Accepted", "True"), condition("Programmed", "False", "NoResources", "no pod")]
NO_ADDRESS = [condition("Accepted", "True"), condition("Programmed", "False", "AddressNotAssigned", "no address")]


@pytest.mark.parametrize(
    ("live", "answers"),
    [
        (gateway(GOOD), {}),
        (gateway(GOOD, [condition("ResolvedRefs", "True")]), {}),
        (route((PUBLIC, TAKEN)), {}),
        (route((PUBLIC, TAKEN), kind="GRPCRoute"), {}),
        # The controller of another class answers, too
        (route((PUBLIC, NOT_ALLOWED), (PUBLIC, TAKEN)), {}),
        # With what the API server fills in
        (route(({"group": "gateway.networking.k8s.io", "kind": "Gateway", **PUBLIC}, TAKEN)), {}),
        (route(({"name": "own"}, TAKEN), parents=[{"name": "own", "namespace": "n"}]), {}),
        (ingress("traefik"), IN_CLUSTER),
        (ingress(), {INGRESS_CLASSES: listed(DEFAULT)}),
        (ingress("contour", address=True), IN_CLUSTER),
        (ingress(address=True), {INGRESS_CLASSES: listed()}),
        (ingress(annotations={"kubernetes.io/ingress.class": "gce"}), IN_CLUSTER),
        # We may not see the classes
        (ingress("traefik"), {INGRESS_CLASSES: FORBIDDEN}),
        (certificate(condition("Ready", "True", "Ready")), {}),
        # A renewal that fails, while the old one is good
        (certificate(condition("Ready", "True"), FAILED), {}),
    ],
)
def test_served(live: dict[str, Any], answers: dict[str, Any]) -> None:
    assert judge(live, Surroundings(FakeConnection(answers))).served  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("live", "answers", "limit", "texts"),
    [
        (gateway(PRESET), {CLASSES: listed(gateway_class("other"))}, 0.0, ["example does not exist", "has: other"]),
        (
            gateway([condition("Accepted", "True", observed=1)]),
            {CLASSES: listed(gateway_class("other"))},
            0.0,
            ["exist"],
        ),
        (
            gateway(PRESET),
            {CLASSES: listed(gateway_class(status="False", reason="InvalidParameters", message="no ConfigMap"))},
            10.0,
            ["InvalidParameters: no ConfigMap", "dispatcher_gateway_class"],
        ),
        (gateway([condition("Accepted", "False", "Invalid", "bad")]), {}, 10.0, ["Accepted is False, Invalid: bad"]),
        (gateway(GOOD, [NO_SECRET]), {}, 10.0, ["listener https", "agentsmith-tls not found", "dispatcher_tls"]),
        (
            gateway(
                GOOD, [condition("Accepted", "True")], [condition("Conflicted", "True", "HostnameConflict", "two")]
            ),
            {},
            10.0,
            ["listener http: Conflicted is True, HostnameConflict: two"],
        ),
        (gateway([condition("Accepted", "True"), condition("Programmed", "False", "Invalid")]), {}, 10.0, ["Invalid"]),
        (
            route((PUBLIC, NOT_ALLOWED)),
            {},
            10.0,
            ["Gateway edge/public", "NotAllowedByListeners", "dispatcher_gateways"],
        ),
        (route((PUBLIC, NOT_ALLOWED), kind="TLSRoute"), {}, 10.0, ["NotAllowedByListeners"]),
        (
            route((PUBLIC, [*TAKEN[:1], condition("ResolvedRefs", "False", "BackendNotFound", "no Service")])),
            {},
            10.0,
            ["BackendNotFound: no Service"],
        ),
        # One of two takes it
        (
            route((PUBLIC, TAKEN), ({"name": "own"}, NOT_ALLOWED), parents=[PUBLIC, {"name": "own"}]),
            {},
            10.0,
            ["Gateway n/own: Accepted is False"],
        ),
        (
            route(),
            {**EXAMPLE, GATEWAYS: listed(named("internal"))},
            10.0,
            ["edge/public does not exist", "There are: internal"],
        ),
        (ingress("ngnix"), IN_CLUSTER, 10.0, ["IngressClass ngnix does not exist", "nginx, traefik", "_ingress_class"]),
        (ingress(), IN_CLUSTER, 10.0, ["it names no class, and no IngressClass is the default", "nginx, traefik"]),
        (certificate(NOT_READY, FAILED), ISSUER, 0.0, ["Failed: will be retried: acme: 429", "cmctl renew -n n agent"]),
        (certificate(NOT_READY), {}, 10.0, ["ClusterIssuer letsencrypt does not exist", "dispatcher_tls_issuer"]),
        (certificate(NOT_READY, kind="Issuer"), ISSUER, 10.0, ["Issuer n/letsencrypt does not exist"]),
    ],
)
def test_refused(live: dict[str, Any], answers: dict[str, Any], limit: float, texts: list[str]) -> None:
    verdict = judge(live, Surroundings(FakeConnection(answers)))  # type: ignore[arg-type]
    assert (verdict.served, verdict.fails, verdict.limit) == (False, True, limit)
    for text in texts:
        assert text in f"{verdict.text} {verdict.hint}"


@pytest.mark.parametrize(
    ("live", "answers", "text"),
    [
        (gateway([condition("Accepted", "True", observed=1)]), EXAMPLE, "has not seen the change"),
        (gateway([condition("Accepted", "True", observed=1)]), {}, "has not seen the change"),
        (gateway(PRESET), EXAMPLE, "example.com/gateways has not answered yet"),
        (gateway(TRYING), {}, "NoResources: no pod"),
        (gateway(GOOD[:1]), {}, "Programmed is Unknown"),
        (route((PUBLIC, [condition("Accepted", "True", observed=1)])), {}, "has not seen the change"),
        (route((PUBLIC, [condition("Accepted", "Unknown"), *TAKEN[1:]])), {}, "Accepted is Unknown"),
        (route(), {f"{GATEWAYS}/public": gateway(GOOD)}, "edge/public has not answered yet"),
        (certificate(NOT_READY, condition("Issuing", "True")), ISSUER, "Secret does not exist"),
        (certificate(condition("Ready", "True", observed=1)), ISSUER, "Ready is True"),
        # The failure was that of another specification
        (certificate(NOT_READY, {**FAILED, "observedGeneration": 1}), ISSUER, "Secret does not exist"),
        (certificate(NOT_READY), {f"{CERT_MANAGER}/clusterissuers/letsencrypt": FORBIDDEN}, "Secret does not exist"),
    ],
)
def test_under_way(live: dict[str, Any], answers: dict[str, Any], text: str) -> None:
    verdict = judge(live, Surroundings(FakeConnection(answers)))  # type: ignore[arg-type]
    assert (verdict.served, verdict.fails, verdict.limit) == (False, True, None)
    assert text in verdict.text


@pytest.mark.parametrize(
    ("live", "answers", "limit", "text"),
    [
        (gateway(PRESET), {}, 0.0, "the cluster has no GatewayClass"),
        (gateway([]), {CLASSES: listed(gateway_class())}, 10.0, "no controller serves the GatewayClass example"),
        (gateway(PRESET), {CLASSES: FORBIDDEN}, 10.0, "cannot be seen"),
        (gateway(NO_ADDRESS), {}, None, "AddressNotAssigned: no address"),
        (route(), {}, 0.0, "the cluster has no GatewayClass"),
        (route(), {f"{GATEWAYS}/public": FORBIDDEN}, 10.0, "no controller has answered for the Gateway edge/public"),
        (route(), {f"{GATEWAYS}/public": gateway(PRESET)}, 10.0, "no controller has answered"),
        (route(parents=[{"kind": "Service", "group": "", "name": "x"}]), {}, 10.0, "for the Service n/x"),
        (ingress("nginx"), {INGRESS_CLASSES: listed()}, 10.0, "the cluster has no IngressClass"),
        # The address was there before the last change
        (ingress(address=True, times=TIMES[::-1]), IN_CLUSTER, 10.0, "names no class"),
        (certificate(), {}, 10.0, "cert-manager has not answered"),
    ],
)
def test_unanswered_is_no_failure(
    live: dict[str, Any], answers: dict[str, Any], limit: float | None, text: str
) -> None:
    verdict = judge(live, Surroundings(FakeConnection(answers)))  # type: ignore[arg-type]
    assert (verdict.served, verdict.fails, verdict.limit) == (False, False, limit)
    assert text in verdict.text


def test_the_address_of_the_former_class_does_not_count() -> None:
    around = Surroundings(FakeConnection(IN_CLUSTER))  # type: ignore[arg-type]
    classless = ingress(address=True)
    changed = judge(classless, around, before=ingress("traefik", address=True))
    assert (changed.served, changed.fails) == (False, True)
    assert judge(classless, around, before=copy.deepcopy(classless)).served


@pytest.mark.parametrize("accepted", ["True", "False"])
def test_a_listener_waits_for_the_certificate_of_the_release_and_so_does_the_route(accepted: str) -> None:
    conditions = [condition("Accepted", accepted, "ListenersNotValid"), condition("Programmed", "False", "Invalid")]
    waiting = gateway(conditions, [NO_SECRET])
    connection: Any = FakeConnection({f"/apis/{GATEWAY_API}/namespaces/n/gateways/own": waiting})
    around = Surroundings(connection, [("n", "agentsmith-tls")])
    refused = route(({"name": "own"}, NOT_ALLOWED), parents=[{"name": "own"}])
    for live in (waiting, refused):
        verdict = judge(live, around)
        assert (verdict.served, verdict.fails, verdict.limit) == (False, True, None)
    # Of another Secret, nobody is to wait for
    assert judge(waiting, Surroundings(connection, [("n", "another")])).limit == 10.0


def test_a_route_names_what_keeps_the_gateway_of_the_release_from_taking_it() -> None:
    closed = [condition("Accepted", "False", "PortUnavailable", "no entry point")]
    answers = {f"/apis/{GATEWAY_API}/namespaces/{space}/gateways/own": gateway(GOOD, closed) for space in ("n", "edge")}
    around = Surroundings(FakeConnection(answers))  # type: ignore[arg-type]
    verdict = judge(route(({"name": "own"}, NOT_ALLOWED), parents=[{"name": "own"}]), around)
    assert "Gateway n/own: listener https: Accepted is False, PortUnavailable: no entry point" in verdict.text
    assert "dispatcher_gateway_http_port" in verdict.hint
    # A listener of a Gateway of others may be for others
    theirs = {"name": "own", "namespace": "edge"}
    assert "NotAllowedByListeners" in judge(route((theirs, NOT_ALLOWED), parents=[theirs]), around).text


def test_an_object_of_the_inventory_is_to_be_looked_for_there() -> None:
    live = ingress("ngnix", labels={"app.kubernetes.io/component": "extra"})
    verdict = judge(live, Surroundings(FakeConnection(IN_CLUSTER)))  # type: ignore[arg-type]
    assert verdict.hint == "Name one in extra_objects."
