# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says about the objects that controllers of other tools serve."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.route_probes import routes
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from fake_connection import FakeConnection

INGRESS_PATH = "/apis/networking.k8s.io/v1/namespaces/n/ingresses/d"
ROUTE_PATH = "/apis/gateway.networking.k8s.io/v1/namespaces/n/httproutes/d"
CERTIFICATE_PATH = "/apis/cert-manager.io/v1/namespaces/n/certificates/d"
CLASSES = {"/apis/networking.k8s.io/v1/ingressclasses": {"items": [{"metadata": {"name": "traefik"}}]}}
METADATA = {"name": "d", "namespace": "n"}
INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": METADATA}
ROUTE = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": METADATA}
CERTIFICATE = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": METADATA}
SERVED = {INGRESS_PATH: {**INGRESS, "spec": {"ingressClassName": "traefik"}}, **CLASSES}
LOST = {INGRESS_PATH: {**INGRESS, "spec": {}}, **CLASSES}
FORBIDDEN = ApiError(403, "Forbidden", "forbidden")


def ask(stated: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    connection: Any = FakeConnection(answers)
    asked = Asked(Target(connection, Names("n", "s", "c", "a"), stated), "", "", 1.0)
    return {found.check: (found.result, found.evidence, found.hint) for found in routes(asked)}


@pytest.mark.parametrize(
    ("stated", "answers", "result", "evidence", "hint"),
    [
        ([], {}, "not checked", "the release has no Ingress, Gateway or route", ""),
        ([INGRESS], SERVED, "ok", "Ingress n/d is served", ""),
        ([INGRESS], LOST, "failed", "names no class", "dispatcher_ingress_class"),
        ([INGRESS], {}, "failed", "Ingress n/d is not served: it does not exist", "Deploy the release."),
        ([INGRESS], {INGRESS_PATH: FORBIDDEN}, "not checked", "cannot be read: Ingress n/d", "needs that right"),
        ([ROUTE], {ROUTE_PATH: {**ROUTE, "spec": {"parentRefs": [{"name": "g"}]}}}, "warning", "no GatewayClass", ""),
        # The worst of all
        (
            [INGRESS, ROUTE],
            {**LOST, ROUTE_PATH: ROUTE},
            "failed",
            "HTTPRoute n/d is served",
            "dispatcher_ingress_class",
        ),
    ],
)
def test_route(stated: list[dict[str, Any]], answers: dict[str, Any], result: str, evidence: str, hint: str) -> None:
    found = ask(stated, answers)["route"]
    assert found[0] == result
    assert evidence in found[1] and hint in found[2]


def test_certificate_quotes_the_request() -> None:
    conditions = [{"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "no Secret"}]
    live = {**CERTIFICATE, "spec": {"issuerRef": {"name": "i", "group": "other"}}, "status": {"conditions": conditions}}
    request = {
        "metadata": {"name": "d-1", "annotations": {"cert-manager.io/certificate-name": "d"}},
        "status": {"conditions": [{"type": "Ready", "status": "False", "message": "waiting for the order"}]},
    }
    requests = {"/apis/cert-manager.io/v1/namespaces/n/certificaterequests": {"items": [request]}}
    result, evidence, _hint = ask([CERTIFICATE], {CERTIFICATE_PATH: live, **requests})["certificate"]
    assert result == "failed"
    assert "DoesNotExist: no Secret" in evidence and "waiting for the order" in evidence
