# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose objects are meant: a release, told by the labels on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .labels import (
    COMPONENT_LABEL,
    ENGINE_COMPONENT,
    INSTANCE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAMESPACE_LABEL,
    labels_of,
)


@dataclass(frozen=True)
class Owner:
    """Whose objects are meant: one release, or the part of it that a *component* label names.

    ``labels`` and ``annotations`` are what the engine's own objects of the release get beside ours.
    """

    namespace: str
    instance: str
    component: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def selector(self) -> str:
        """The label selector."""
        labels = {MANAGED_BY_LABEL: MANAGED_BY, INSTANCE_LABEL: self.instance, COMPONENT_LABEL: self.component}
        return ",".join(f"{name}={value}" for name, value in labels.items() if value)

    def engine_labels(self) -> dict[str, str]:
        """Return the labels of what the engine itself makes for the release."""
        ours = {MANAGED_BY_LABEL: MANAGED_BY, INSTANCE_LABEL: self.instance, COMPONENT_LABEL: ENGINE_COMPONENT}
        return {**self.labels, **ours}

    def has(self, live: Mapping[str, Any]) -> bool:
        """Tell whether an object that the selector found is meant.

        One that belongs to no namespace says in a label whose it is: instances of two namespaces may bear one name.
        What another object owns came from a controller, which copies labels.
        """
        metadata = live["metadata"]
        namespace = metadata.get("namespace") or labels_of(live).get(NAMESPACE_LABEL)
        return namespace == self.namespace and not metadata.get("ownerReferences")
