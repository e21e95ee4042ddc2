# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the Gateways that a route of the Gateway API names serve it. They answer each for itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..objects.identity import Identity
from ..objects.kinds import GATEWAY_API
from .gateway import CLASSES, NO_CONTROLLER, judge_gateway
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

API_VERSION = f"{GATEWAY_API}/v1"
_NAMED = ("group", "kind", "namespace", "name", "sectionName", "port")
_FAULTS = (("Accepted", "False"), ("ResolvedRefs", "False"), ("PartiallyInvalid", "True"))


def judge_route(live: Mapping[str, Any], around: Surroundings) -> Verdict:
    """Judge an HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute: each of its parents has to take it."""
    verdicts = [_of_parent(live, parent, around) for parent in (live.get("spec") or {}).get("parentRefs") or []]
    open_ones = [verdict for verdict in verdicts if not verdict.served]
    # What decides first, and worst
    return min(open_ones, key=lambda one: (not one.fails, one.limit is None), default=SERVED)


def _of_parent(live: Mapping[str, Any], parent: Mapping[str, Any], around: Surroundings) -> Verdict:
    name = f"{parent.get('kind') or 'Gateway'} {_named(live, parent)['namespace']}/{parent['name']}"
    answers = [
        conditions_of(entry)
        for entry in (live.get("status") or {}).get("parents") or []
        if _named(live, entry.get("parentRef") or {}) == _named(live, parent)
    ]
    verdicts = [_of_answer(live, name, answer) for answer in answers if is_answered(answer)]
    if not verdicts:
        return _of_silent_parent(live, parent, name, around)
    # Controllers that do not serve the Gateway may answer, too
    verdict = next((verdict for verdict in verdicts if verdict.served), verdicts[0])
    if verdict.served or _named(live, parent)["namespace"] != live["metadata"].get("namespace"):
        return verdict
    # The Gateway of the release may be the cause: its listener takes no route before it has its certificate
    gateway = _gateway(live, parent, around)
    by_gateway = judge_gateway(gateway, around) if gateway else SERVED
    return (
        verdict if by_gateway.served or not by_gateway.fails else replace(by_gateway, text=f"{name}: {by_gateway.text}")
    )


def _of_answer(live: Mapping[str, Any], name: str, conditions: Mapping[str, Mapping[str, Any]]) -> Verdict:
    hint = f"Check {variables(live, *_parents(live), 'dispatcher_host')}."
    if any(is_behind(condition, live) for condition in conditions.values()):
        return in_progress(f"the controller of the {name} has not seen the change yet", hint)
    for kind, bad in _FAULTS:
        condition = conditions.get(kind) or {}
        if condition.get("status") == bad:
            return Verdict(False, f"{name}: {words(condition)}", hint)
    accepted = conditions.get("Accepted") or {}
    if accepted.get("status") == "True":
        return SERVED
    return in_progress(f"{name}: {words({'type': 'Accepted', 'status': 'Unknown', **accepted})}", hint)


def _of_silent_parent(live: Mapping[str, Any], parent: Mapping[str, Any], name: str, around: Surroundings) -> Verdict:
    """Judge a route about which a parent says nothing: it may not exist, or nobody serves it."""
    hint = f"Check {variables(live, *_parents(live))}."
    silent = unanswered(f"no controller has answered for the {name}", hint)
    namespace = _named(live, parent)["namespace"]
    gateway = _gateway(live, parent, around)
    if gateway is None:
        classes = around.objects(*CLASSES)
        if classes == []:
            return NO_CONTROLLER
        others = around.objects(API_VERSION, "Gateway", namespace)
        there = f" There are: {listed_names(others)}." if others else ""
        return Verdict(False, f"the {name} does not exist.{there}", hint)
    accepted = conditions_of(gateway.get("status") or {}).get("Accepted") or {}
    if accepted.get("status") == "True":
        return in_progress(f"the controller of the {name} has not answered yet", hint)
    return silent


def _gateway(live: Mapping[str, Any], parent: Mapping[str, Any], around: Surroundings) -> Mapping[str, Any] | None:
    """Return the Gateway that a parent is, None where there is none; empty where that cannot be seen."""
    named = _named(live, parent)
    if (named["group"], named["kind"]) != (GATEWAY_API, "Gateway"):
        return {}
    return around.object(Identity(API_VERSION, "Gateway", named["namespace"], parent["name"]))


def _parents(live: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the variables that name the parents of a route of the Dispatcher."""
    is_redirect = str(live["metadata"]["name"]).endswith("-redirect")
    gateways = "dispatcher_redirect_gateways" if is_redirect else "dispatcher_gateways"
    return gateways, "dispatcher_gateway_class"


def _named(live: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reference names, with the defaults of the Gateway API."""
    defaults = {"group": GATEWAY_API, "kind": "Gateway", "namespace": live["metadata"].get("namespace") or ""}
    return {name: reference.get(name) or defaults.get(name) for name in _NAMED}
