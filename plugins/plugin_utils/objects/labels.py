# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels that make an object ours, the only place that spells them, and what they tell of a live object."""

from collections.abc import Mapping
from typing import Any

from .managed_fields import FIELD_MANAGER

# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
PART_OF_LABEL = "app.kubernetes.io/part-of"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
# On what belongs to no namespace: that of the release.
NAMESPACE_LABEL = "agentsmith.platform/namespace"

# What tells whose an object is. One that is handed over loses them.
OWN_LABELS = (NAME_LABEL, INSTANCE_LABEL, COMPONENT_LABEL, PART_OF_LABEL, MANAGED_BY_LABEL)

# The values
PART_OF = "agentsmith"
MANAGED_BY = FIELD_MANAGER
# Of what no role renders and the engine itself makes: the lock of the release and the record of the last good one.
ENGINE_COMPONENT = "release"
# Of objects that the inventory gives whole.
EXTRA_COMPONENT = "extra"


def labels_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels of an object, empty where it has none."""
    return (body.get("metadata") or {}).get("labels") or {}


def annotations_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations of an object, empty where it has none."""
    return (body.get("metadata") or {}).get("annotations") or {}


def is_ours(live: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
    """Tell whether a live object carries the labels of the installation that the desired one belongs to."""
    wanted, found = labels_of(desired), labels_of(live)
    return (
        found.get(MANAGED_BY_LABEL) == MANAGED_BY
        and INSTANCE_LABEL in wanted
        and found.get(INSTANCE_LABEL) == wanted[INSTANCE_LABEL]
    )


def is_engines(live: Mapping[str, Any]) -> bool:
    """Tell whether an object of a release is the engine's own: what no role renders, and nobody need miss."""
    return labels_of(live).get(COMPONENT_LABEL) == ENGINE_COMPONENT
