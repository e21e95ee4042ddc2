# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether cert-manager has issued a Certificate: https://cert-manager.io/docs/usage/certificate/."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..objects.identity import Identity
from ..objects.kinds import CERTIFICATE, CERTIFICATE_ANNOTATION
from ..objects.labels import annotations_of
from .surroundings import Surroundings
from .verdict import SERVED, Verdict, conditions_of, in_progress, is_answered, is_behind, unanswered, variables, words

CERT_MANAGER = CERTIFICATE[0]
API_VERSION = f"{CERT_MANAGER}/v1"
ACME_API_VERSION = f"acme.{CERT_MANAGER}/v1"


def judge_certificate(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """Judge a Certificate by its conditions; while it is not ready, by its issuer, too."""
    conditions = conditions_of(live.get("status") or {})
    ready, issuing = conditions.get("Ready") or {}, conditions.get("Issuing") or {}
    hint = f"Check {variables(live, 'dispatcher_tls_issuer', 'dispatcher_host')}."
    if not is_answered(conditions):
        text = "cert-manager has not answered"
        return unanswered(
            text, "Check that cert-manager runs (kubectl get pods -A -l app.kubernetes.io/instance=cert-manager)."
        )
    if ready.get("status") == "True" and not is_behind(ready, live):
        return SERVED
    missing = _missing_issuer(live, around)
    if missing:
        return Verdict(False, f"the {missing} does not exist", hint)
    if issuing.get("status") == "False" and not is_behind(issuing, live) and issuing.get("reason") != "Issued":
        again = "cert-manager tries again after an hour, or with: cmctl renew -n {namespace} {name}".format(
            **live["metadata"]
        )
        return Verdict(False, words(issuing), f"{hint} {again}", limit=0.0)
    return in_progress(words(ready) if ready else words(issuing), hint)


def progress_words(live: Mapping[str, Any], around: Surroundings) -> Iterator[str]:
    """Yield what cert-manager says of the attempt that is under way: of the request, and of ACME's challenges."""
    metadata = live["metadata"]
    requests = [
        body
        for body in around.objects(API_VERSION, "CertificateRequest", metadata["namespace"]) or []
        if annotations_of(body).get(CERTIFICATE_ANNOTATION) == metadata["name"]
    ]
    for request in sorted(requests, key=lambda body: str(body["metadata"].get("creationTimestamp")))[-1:]:
        ready = conditions_of(request.get("status") or {}).get("Ready")
        if ready:
            yield f"CertificateRequest {request['metadata']['name']}: {words(ready)}"
    names = (live.get("spec") or {}).get("dnsNames") or []
    for challenge in around.objects(ACME_API_VERSION, "Challenge", metadata["namespace"]) or []:
        spec, reason = challenge.get("spec") or {}, (challenge.get("status") or {}).get("reason")
        if reason and spec.get("dnsName") in names:
            yield f"Challenge {spec.get('type')} of {spec['dnsName']}: {reason}"


def _missing_issuer(live: Mapping[str, Any], around: Surroundings) -> str:
    """Return the issuer that is named and not there; empty where it is, or nobody can tell."""
    reference = (live.get("spec") or {}).get("issuerRef") or {}
    kind = reference.get("kind") or "Issuer"
    if (reference.get("group") or CERT_MANAGER) != CERT_MANAGER or not reference.get("name"):
        return ""
    namespace = "" if kind == "ClusterIssuer" else live["metadata"]["namespace"]
    issuer = Identity(API_VERSION, kind, namespace, reference["name"])
    return str(issuer) if around.object(issuer) is None else ""
