# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy waits for the controllers of other tools that serve its objects. Here the test plays those controllers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.conditions import verdict
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.checks import verify
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from awaiting import await_true
from control_plane import ControlPlane
from release_objects import a_release
from served_kinds import (  # noqa: F401  the fixture
    INGRESS_CLASSES,
    NAME,
    a_certificate,
    a_class,
    a_gateway,
    a_route,
    an_ingress,
    condition,
    path_of,
    served_kinds,
    stand_in_controller,
)
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

Answers = dict[str, Callable[[dict[str, Any]], Any]]
NOT_ALLOWED = "hostnames or namespace not allowed by any listener"


@pytest.fixture(autouse=True)
def short_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "SETTLING", 2.0)


@pytest.fixture
def classes(control_plane: ControlPlane) -> Iterator[Callable[..., None]]:
    """Make a GatewayClass or an IngressClass for one test: `classes(kind, name)`."""
    made: list[str] = []

    def make(kind: str, name: str) -> None:
        body = a_class(kind, name)
        assert control_plane.request("POST", path_of(body).rpartition("/")[0], body)[0] == 201
        made.append(path_of(body))

    yield make
    for path in made:
        control_plane.request("DELETE", path)


@pytest.fixture
def controllers() -> Answers:
    """What the controllers write, by kind; at first, there are none."""
    return {}


@pytest.fixture
def release(
    control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str, controllers: Answers
) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace whose pods run."""
    with (
        stand_in_kubelet(control_plane, new_namespace, lambda _pod: ready()),
        stand_in_controller(control_plane, new_namespace, controllers),
    ):
        yield Release(new_namespace, connection_options)


def of_gateway(*listeners: Any, accepted: str = "True") -> Callable[[dict[str, Any]], Any]:
    def status(live: dict[str, Any]) -> Any:
        generation = live["metadata"]["generation"]
        conditions = [condition(name, accepted, generation=generation) for name in ("Accepted", "Programmed")]
        return {"conditions": conditions, "listeners": list(listeners)}

    return status


def of_route(refused: str = "") -> Callable[[dict[str, Any]], Any]:
    def status(live: dict[str, Any]) -> Any:
        generation = live["metadata"]["generation"]
        accepted = condition("Accepted", "True", generation=generation)
        if refused:
            accepted = condition("Accepted", "False", refused, NOT_ALLOWED, generation)
        parents = [{"parentRef": {"name": NAME}, "controllerName": "example.com/gateways", "conditions": [accepted]}]
        return {"parents": parents}

    return status


def of_certificate(*conditions: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda _live: {"conditions": list(conditions)}


READY = condition("Ready", "True")
NOT_READY = condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist")
FAILED = condition("Issuing", "False", "Failed", "The certificate request has failed: acme: rateLimited")


def checks(release: Release, objects: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return the results and evidence of the checks of verify."""
    names = Names(release.namespace, "agentsmith-secrets", "agentsmith-config", "agentsmith")
    with Connection(release.options) as connection:
        target = Target(connection, names, objects)
        found = verify(Asked(target, "", "", 1.0), ["route", "certificate"])
    return {outcome.check: (outcome.result, f"{outcome.evidence}\n{outcome.hint}") for outcome in found}


def test_a_served_release_costs_an_unchanged_deploy_no_request_more(
    release: Release, controllers: Answers, classes: Callable[..., None]
) -> None:
    classes("GatewayClass", "example")
    bare = a_release(release.namespace)
    release.deploy(bare)
    before = release.deploy(bare)["apply"]["requests"]
    controllers |= {"Gateway": of_gateway(), "HTTPRoute": of_route(), "Certificate": of_certificate(READY)}
    added = [a_gateway(release.namespace), a_route(release.namespace), a_certificate(release.namespace)]
    objects = [*bare, *added]
    steps = release.deploy(objects)
    assert steps["commit"]["recorded"], steps
    assert "warnings" not in steps["apply"], steps["apply"]["warnings"]
    again = release.deploy(objects)["apply"]
    assert not again["transaction"]["opened"]
    assert again["requests"] == before, "they come with the lists of their kinds, which are read anyway"
    assert {check: result for check, (result, _text) in checks(release, objects).items()} == {
        "route": "ok",
        "certificate": "ok",
    }


def test_a_refused_route_stops_the_deploy_again_and_again(release: Release, controllers: Answers) -> None:
    controllers |= {"Gateway": of_gateway(), "HTTPRoute": of_route("NotAllowedByListeners")}
    objects = [*a_release(release.namespace), a_gateway(release.namespace), a_route(release.namespace)]
    for _attempt in ("a first deploy", "one that changes nothing, of a release that never worked"):
        message = release.deploy(objects)["apply"]["msg"]
        assert f"HTTPRoute {release.namespace}/{NAME} is not served" in message
        assert f"NotAllowedByListeners: {NOT_ALLOWED}" in message
        assert "dispatcher_gateways" in message
    result, text = checks(release, objects)["route"]
    assert result == "failed" and NOT_ALLOWED in text
    controllers["HTTPRoute"] = of_route()
    assert release.deploy(objects)["commit"]["recorded"]
    # What was good when it was deployed, and is not any more, is told, but not this deploy's fault
    controllers["HTTPRoute"] = of_route("NotAllowedByListeners")
    objects[5]["data"] = {"agentsmith.yml": "projects: {}\n# changed\n"}
    await_true(lambda: checks(release, objects)["route"][0] == "failed")
    steps = release.deploy(objects)
    assert steps["commit"]["recorded"]
    assert NOT_ALLOWED in str(steps["apply"]["warnings"])


def test_an_unknown_class_of_a_gateway_undoes_the_deploy_at_once(
    release: Release, controllers: Answers, control_plane: ControlPlane, classes: Callable[..., None]
) -> None:
    classes("GatewayClass", "example")
    # The controller leaves a Gateway of another class alone
    served = of_gateway()
    controllers["Gateway"] = lambda live: served(live) if live["spec"]["gatewayClassName"] == "example" else None
    bare, gateway = a_release(release.namespace), a_gateway(release.namespace)
    assert release.deploy([*bare, gateway])["commit"]["recorded"]
    steps = release.deploy([*bare, a_gateway(release.namespace, "exmaple")])
    assert "the GatewayClass exmaple does not exist. The cluster has: example. " in steps["apply"]["msg"]
    assert "dispatcher_gateway_class" in steps["apply"]["msg"]
    assert steps["restore"]["restored"]
    assert control_plane.get(path_of(gateway))["spec"]["gatewayClassName"] == "example"


def test_an_ingress_that_leaves_its_class_is_served_by_nobody(
    release: Release, controllers: Answers, control_plane: ControlPlane, classes: Callable[..., None]
) -> None:
    classes("IngressClass", "traefik")
    controllers["Ingress"] = lambda live: (
        {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}} if live["spec"].get("ingressClassName") else None
    )
    bare, ingress = a_release(release.namespace), an_ingress(release.namespace, "traefik")
    assert release.deploy([*bare, ingress])["commit"]["recorded"]
    await_true(lambda: control_plane.get(path_of(ingress))["status"]["loadBalancer"])
    classless = [*bare, an_ingress(release.namespace)]
    steps = release.deploy(classless)
    assert "it names no class, and no IngressClass is the default. The cluster has: traefik. " in steps["apply"]["msg"]
    assert "Name one in dispatcher_ingress_class" in steps["apply"]["msg"]
    assert steps["restore"]["restored"]
    assert control_plane.get(path_of(ingress))["spec"]["ingressClassName"] == "traefik"
    body = {"metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}}
    control_plane.request("PATCH", f"{INGRESS_CLASSES}/traefik", body, "application/merge-patch+json")
    assert release.deploy(classless)["commit"]["recorded"]


def test_a_certificate_that_is_not_issued_stops_the_deploy(
    release: Release, controllers: Answers, control_plane: ControlPlane
) -> None:
    objects = [*a_release(release.namespace), a_certificate(release.namespace)]
    controllers["Certificate"] = of_certificate(NOT_READY)
    message = release.deploy(objects)["apply"]["msg"]
    assert "ClusterIssuer letsencrypt does not exist. Check dispatcher_tls_issuer" in message
    issuer = {**a_class("GatewayClass", "letsencrypt"), "apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer"}
    assert control_plane.request("POST", path_of(issuer).rpartition("/")[0], issuer)[0] == 201
    try:
        message = release.deploy(objects, wait_timeout=2)["apply"]["msg"]
        assert "wait_timeout (2 s) is over" in message
        assert "Ready is False, DoesNotExist: Issuing certificate as Secret does not exist" in message
        controllers["Certificate"] = of_certificate(NOT_READY, FAILED)
        message = release.deploy(objects)["apply"]["msg"]
        assert f"Certificate {release.namespace}/{NAME} is not ready: Issuing is False, Failed: " in message
        assert "acme: rateLimited" in message
        assert checks(release, objects)["certificate"][0] == "failed"
        controllers["Certificate"] = of_certificate(READY)
        assert release.deploy(objects)["commit"]["recorded"]
    finally:
        control_plane.request("DELETE", path_of(issuer))


def test_a_gateway_whose_certificate_is_being_issued_is_waited_for(release: Release, controllers: Answers) -> None:
    refused = condition("ResolvedRefs", "False", "InvalidCertificateRef", "Secret agentsmith-tls not found")
    served = condition("ResolvedRefs", "True")
    looks: list[str] = []

    def issuing(live: dict[str, Any]) -> Any:
        looks.append(live["kind"])
        return {"conditions": [READY if len(looks) > 80 else NOT_READY]}

    def listening(live: dict[str, Any]) -> Any:
        ends = served if len(looks) > 100 else refused
        return of_gateway({"name": "https", "conditions": [ends]})(live)

    def routing(live: dict[str, Any]) -> Any:
        return of_route("" if len(looks) > 100 else "NoMatchingParent")(live)

    controllers |= {"Gateway": listening, "HTTPRoute": routing, "Certificate": issuing}
    space = release.namespace
    objects = [*a_release(space), a_gateway(space, tls=True), a_route(space), a_certificate(space)]
    for body in objects:
        if body["kind"] == "Certificate":
            body["spec"]["issuerRef"]["group"] = "issuers.example.com"  # of which nobody knows what is there
    steps = release.deploy(objects)
    assert steps["commit"]["recorded"], steps
    assert len(looks) > 100


def test_a_cluster_without_controllers_is_told_and_deployed_to(release: Release) -> None:
    space = release.namespace
    objects = [*a_release(space), a_gateway(space), a_route(space), a_certificate(space), an_ingress(space, "nginx")]
    steps = release.deploy(objects)
    assert steps["commit"]["recorded"], steps
    warnings = "\n".join(steps["apply"]["warnings"])
    for kind in ("Gateway", "HTTPRoute", "Certificate", "Ingress"):
        assert f"{kind} {space}/{NAME} is not " in warnings
    assert {check: result for check, (result, _text) in checks(release, objects).items()} == {
        "route": "warning",
        "certificate": "warning",
    }
    again = release.deploy(objects)["apply"]
    assert not again["transaction"]["opened"] and "warnings" not in again
