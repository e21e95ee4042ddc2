# SPDX-License-Identifier: GPL-3.0-or-later
"""Who made a namespace: the release, or somebody before it. A teardown may delete the first kind only."""

from collections.abc import Mapping, Sequence
from typing import Any

from .identity import Identity
from .labels import MANAGED_BY_LABEL, annotations_of, labels_of
from .managed_fields import FIELD_MANAGER

CREATED_ANNOTATION = f"{FIELD_MANAGER}/created"


def mark_created(bodies: Sequence[dict[str, Any]], live: Mapping[Identity, Mapping[str, Any] | None]) -> None:
    """Annotate the Namespaces that a release creates, and those that it once created: an apply states whole objects.

    :param bodies: the desired objects, which are completed in place.
    :param live: the objects as they are now, None for one that is not there.
    """
    for body in bodies:
        if body["kind"] == "Namespace" and labels_of(body).get(MANAGED_BY_LABEL) == FIELD_MANAGER:
            found = live[Identity.of(body)]
            if found is None or was_created_by_us(found):
                body["metadata"].setdefault("annotations", {})[CREATED_ANNOTATION] = "true"


def was_created_by_us(live: Mapping[str, Any]) -> bool:
    """Tell whether a live Namespace was created by a release."""
    return CREATED_ANNOTATION in annotations_of(live)
