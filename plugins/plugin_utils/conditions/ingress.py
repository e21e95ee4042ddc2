# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a controller serves an Ingress, which has no conditions: told by its class, or by what a controller left.

https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
"""

from collections.abc import Mapping
from typing import Any

from ..objects.labels import annotations_of
from ..objects.managed_fields import owners, recorded_fields
from .surroundings import Surroundings
from .verdict import SERVED, Verdict, listed_names, unanswered, variables

CLASSES = ("networking.k8s.io/v1", "IngressClass")
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


def judge_ingress(live: Mapping[str, Any], around: Surroundings, before: Mapping[str, Any] | None = None) -> Verdict:
    """Judge an Ingress.

    An IngressClass of its class, or a default one, is enough: many controllers write nothing to an Ingress. Some
    controllers need no IngressClass. Those show themselves in the address or in a finalizer.

    :param before: how it was before the change that is judged, if known.
    """
    name = class_of(live)
    if annotations_of(live).get(CLASS_ANNOTATION) and not (live.get("spec") or {}).get("ingressClassName"):
        return SERVED  # what the annotation means, only its controller knows
    classes = around.objects(*CLASSES)
    if classes is None:
        return SERVED
    if any(_is_default(entry) if not name else entry["metadata"]["name"] == name for entry in classes):
        return SERVED
    if _is_taken(live) and before is not None and class_of(before) == name:
        return SERVED
    if _is_taken(live) and before is None and not _is_left_over(live):
        return SERVED
    if not classes:
        text = "the cluster has no IngressClass, and no controller has given the Ingress an address"
        return unanswered(text, "Install an ingress controller.")
    what = (
        f"the IngressClass {name} does not exist" if name else "it names no class, and no IngressClass is the default"
    )
    hint = f"Name one in {variables(live, 'dispatcher_ingress_class')}."
    # An address may be that of a controller that does not serve it any more
    fails = before is not None or not _is_taken(live)
    return Verdict(False, f"{what}. The cluster has: {listed_names(classes)}", hint, fails=fails)


def class_of(body: Mapping[str, Any]) -> str:
    """Return the class that an Ingress names, empty where it names none."""
    return (body.get("spec") or {}).get("ingressClassName") or annotations_of(body).get(CLASS_ANNOTATION) or ""


def _is_default(ingress_class: Mapping[str, Any]) -> bool:
    return annotations_of(ingress_class).get(DEFAULT_ANNOTATION) == "true"


def _is_taken(live: Mapping[str, Any]) -> bool:
    addresses = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    return bool(addresses or live["metadata"].get("finalizers"))


def _is_left_over(live: Mapping[str, Any]) -> bool:
    """Tell whether nobody but us has written it since we did."""
    ours = recorded_fields(live)
    others = [owner.time for owner, _fields in owners(live) if owner.manager != ours.get("manager")]
    return bool(ours) and max(others, default="") < str(ours.get("time") or "")
