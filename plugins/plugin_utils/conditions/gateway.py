# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a controller serves a Gateway: https://gateway-api.sigs.k8s.io/guides/implementers/#conditions."""

from collections.abc import Iterator, Mapping
from typing import Any

from .surroundings import Surroundings
from .verdict import (
    SERVED,
    Verdict,
    conditions_of,
    in_progress,
    is_answered,
    is_behind,
    listed_names,
    unanswered,
    variables,
    words,
)

CLASSES = ("gateway.networking.k8s.io/v1", "GatewayClass")
NO_CONTROLLER = Verdict(
    False,
    "the cluster has no GatewayClass, so no controller serves it",
    "Install a controller of the Gateway API.",
    fails=False,
    limit=0.0,
)
# The conditions of a listener that keep it from serving. What is named first is the cause of the rest.
_FAULTS = (("ResolvedRefs", "False"), ("Conflicted", "True"), ("Accepted", "False"), ("Programmed", "False"))
_NO_CERTIFICATE = "InvalidCertificateRef"
# The variables that make a listener what it is
_TLS = ("dispatcher_tls", "dispatcher_tls_secret_name")
_LISTENER = (
    "dispatcher_gateway_http_port",
    "dispatcher_gateway_https_port",
    "dispatcher_host",
    "dispatcher_gateway_class",
)
# Of Programmed: the controller goes on trying
_TRYING = ("Pending", "NoResources", "AddressNotAssigned")


def judge_gateway(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """Judge a Gateway by its conditions and those of its listeners; while there are none, by its class."""
    status = live.get("status") or {}
    conditions = conditions_of(status)
    accepted, programmed = conditions.get("Accepted") or {}, conditions.get("Programmed") or {}
    hint = _hint(live)
    if not is_answered(conditions):
        return _of_class(live, around)
    if is_behind(accepted, live) or is_behind(programmed, live):
        by_class = _of_class(live, around)
        is_refused = by_class.fails and by_class.limit is not None
        return by_class if is_refused else in_progress("its controller has not seen the change yet", hint)
    fault = next(_listener_faults(live, status), None)
    if fault is not None:
        listener, condition = fault
        text = f"listener {listener}: {words(condition)}"
        awaits_secret = condition.get("reason") == _NO_CERTIFICATE and _certificates(live, listener) & around.issued
        if awaits_secret:
            return in_progress(text, "It waits for the Certificate.")
        causes = _TLS if condition.get("reason") == _NO_CERTIFICATE else _LISTENER
        return Verdict(False, text, f"Check {variables(live, *causes)}.")
    if accepted.get("status") == "False":
        return Verdict(False, words(accepted), hint)
    if programmed.get("status") == "True":
        return SERVED
    if programmed.get("reason") == "AddressNotAssigned":
        # Inside the cluster it may work all the same, as where nobody gives a Service of type LoadBalancer an address
        text = "Give the Gateway's Service an address, as a cloud or MetalLB does, or reach it in another way."
        return Verdict(False, words(programmed), text, fails=False, limit=None)
    if programmed.get("status") == "False" and programmed.get("reason") not in _TRYING:
        return Verdict(False, words(programmed), hint)
    return in_progress(words({"type": "Programmed", "status": "Unknown", **programmed}), hint)


def _of_class(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """Judge a Gateway that no controller has answered."""
    name, hint = (live.get("spec") or {}).get("gatewayClassName"), _hint(live)
    classes = around.objects(*CLASSES)
    if classes is None:
        return unanswered(f"no controller has answered, and the GatewayClass {name} cannot be seen", hint)
    if not classes:
        return NO_CONTROLLER
    found = next((body for body in classes if body["metadata"]["name"] == name), None)
    if found is None:
        names = listed_names(classes)
        return Verdict(False, f"the GatewayClass {name} does not exist. The cluster has: {names}", hint, limit=0.0)
    accepted = conditions_of(found.get("status") or {}).get("Accepted") or {}
    controller = (found.get("spec") or {}).get("controllerName")
    if accepted.get("status") == "True":
        return in_progress(
            f"the controller {controller} has not answered yet", f"Look at its log, and check {_of(live)}."
        )
    if accepted.get("status") == "False" and accepted.get("reason") not in ("Waiting", "Pending"):
        return Verdict(False, f"the controller refuses the GatewayClass {name}: {words(accepted)}", hint)
    return unanswered(
        f"no controller serves the GatewayClass {name} ({controller})", f"Start it, or check {_of(live)}."
    )


def _listener_faults(live: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the names of listeners that serve nothing, each with the condition that says why."""
    for name, bad in _FAULTS:
        for listener in status.get("listeners") or []:
            condition = conditions_of(listener).get(name) or {}
            # It may name no more than the state of the whole, which the Gateway says better
            waits = name == "Programmed" and condition.get("reason") in _TRYING
            if condition.get("status") == bad and not is_behind(condition, live) and not waits:
                yield listener["name"], condition


def _certificates(live: Mapping[str, Any], name: str) -> set[tuple[str, str]]:
    """Return the Secrets of a listener, by namespace and name."""
    namespace = live["metadata"].get("namespace") or ""
    listeners = [entry for entry in (live.get("spec") or {}).get("listeners") or [] if entry["name"] == name]
    references = [ref for entry in listeners for ref in (entry.get("tls") or {}).get("certificateRefs") or []]
    return {(ref.get("namespace") or namespace, ref["name"]) for ref in references}


def _of(live: Mapping[str, Any]) -> str:
    return variables(live, "dispatcher_gateway_class")


def _hint(live: Mapping[str, Any]) -> str:
    return f"Check {_of(live)}."
