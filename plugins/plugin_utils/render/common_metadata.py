# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations that every object of a release gets, for clusters that demand them: two facts of a target."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..objects.kinds import JOB_OF_CRON_JOB, TEMPLATE, kind_of_body
from ..objects.managed_fields import LAST_APPLIED_ANNOTATION, value_at
from .manifest import Manifest
from .shapes import SHAPES, misfits
from .template_engine import RenderError, TemplateEngine, target_of

LABELS, ANNOTATIONS = "agentsmith_common_labels", "agentsmith_common_annotations"
# What the roles, the engine, the API server and its controllers set themselves. Selectors and ownership depend on it.
_RESERVED = {
    LABELS: re.compile(
        r"app|(app\.kubernetes\.io|agentsmith\.platform)/.*|pod-security\.kubernetes\.io/(enforce|audit|warn)"
        r"|kubernetes\.io/metadata\.name|pod-template-hash|controller-revision-hash"
    ),
    ANNOTATIONS: re.compile(
        rf"(agentsmith\.platform|deployment\.kubernetes\.io)/.*|{re.escape(LAST_APPLIED_ANNOTATION)}"
    ),
}
_VALUES = {
    LABELS: SHAPES["label_value"].allowed,
    ANNOTATIONS: "a text; quote numbers and booleans",
}


@dataclass(frozen=True)
class CommonMetadata:
    """What is added to each object. What an object states itself stays."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def add_to(self, manifest: Manifest) -> None:
        """Complete an object, the Jobs that it makes and its pod template. No selector is touched."""
        # Kinds of operators mostly have their template where a Deployment has it
        template = kind_of_body(manifest).pod_template or TEMPLATE
        for place in (manifest, value_at(manifest, JOB_OF_CRON_JOB), value_at(manifest, template)):
            if isinstance(place, dict):
                self._complete(place)

    def _complete(self, place: Manifest) -> None:
        for name, common in (("labels", self.labels), ("annotations", self.annotations)):
            if common:
                metadata = place.setdefault("metadata", {})
                metadata[name] = {**common, **(metadata.get(name) or {})}


def common_metadata(engine: TemplateEngine) -> CommonMetadata:
    """Return what the facts of the target say.

    :raises RenderError: with all that is wrong with them.
    """
    values = {name: engine.value(engine.variables.get(name)) or {} for name in (LABELS, ANNOTATIONS)}
    faults = [fault for name, value in values.items() for fault in _faults(name, value)]
    if faults:
        target = target_of(engine)
        raise RenderError(
            f"The facts of the target {target} are not usable; nothing was rendered.\n"
            + "\n".join(f"- {fault}" for fault in faults)
        )
    return CommonMetadata(values[LABELS], values[ANNOTATIONS])


def _faults(variable: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f'{variable} is not a dictionary. Allowed: a dictionary of texts ({{cost-center: "4711"}}).'
        return
    pattern = SHAPES["label_value"].pattern if variable == LABELS else r"(?s).*"
    for key, text in value.items():
        if not _is_name(key):
            yield (
                f"{variable} has the key {key!r}. Allowed: a name of 63 letters, digits, hyphens, underscores and dots "
                "at most, with an optional DNS name and a slash before it (example.com/cost-center)."
            )
        elif _RESERVED[variable].fullmatch(key):
            yield f"{variable} has the key {key!r}, which is not yours to set. Allowed: a key that no selector needs."
        else:
            faults = misfits(f"{variable}[{key}]", text, pattern, number=False)
            yield from (f"{fault}. Allowed: {_VALUES[variable]}." for fault in faults)


def _is_name(key: Any) -> bool:
    if not isinstance(key, str):
        return False
    prefix, slash, name = key.rpartition("/")
    is_prefix = not slash or re.fullmatch(SHAPES["dns_name"].pattern, prefix)
    return bool(is_prefix and name and re.fullmatch(SHAPES["label_value"].pattern, name))
