# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an object that another tool's controller is to serve, and how to read the conditions of a status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..objects.labels import COMPONENT_LABEL, EXTRA_COMPONENT, labels_of
from ..text.one_line import one_line

# Seconds: a controller that sees a change corrects its first answer within these, and one that is there has answered.
SETTLING = 10.0
LONGEST = 500  # characters that are shown of a condition


@dataclass(frozen=True)
class Verdict:
    """Whether an object is served, and if not, why not.

    ``fails``: whether it is a failure if that stays so, or only to be told: nobody may have answered because the
    cluster has no controller. ``limit``: for how many seconds it may stay so, None for as long as the wait lasts.
    """

    served: bool
    text: str = ""
    hint: str = ""
    fails: bool = True
    limit: float | None = field(default_factory=lambda: SETTLING)


SERVED = Verdict(True)


def unanswered(text: str, hint: str) -> Verdict:
    """Return that no controller has said anything: perhaps there is none."""
    return Verdict(False, text, hint, fails=False)


def in_progress(text: str, hint: str) -> Verdict:
    """Return that a controller is at work."""
    return Verdict(False, text, hint, limit=None)


def conditions_of(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the conditions of a status, or of an entry of one, by type."""
    return {entry["type"]: entry for entry in status.get("conditions") or []}


def is_answered(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether a controller wrote any of them: the definitions of the kinds preset some to Unknown."""
    return any(entry.get("status") in ("True", "False") for entry in conditions.values())


def is_behind(condition: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Tell whether a condition is about an older state of the object. Not every controller states which."""
    generation: int = live["metadata"].get("generation") or 0
    observed: int = condition.get("observedGeneration") or generation
    return observed < generation


def words(condition: Mapping[str, Any]) -> str:
    """Return what a controller says in a condition."""
    text, message = f"{condition['type']} is {condition.get('status')}", condition.get("message")
    text += f", {condition['reason']}" if condition.get("reason") else ""
    return one_line(f"{text}: {message}" if message else text, LONGEST)


def variables(body: Mapping[str, Any], *names: str) -> str:
    """Return what in the inventory makes an object what it is: the variables *names*, unless it is given whole."""
    return "extra_objects" if labels_of(body).get(COMPONENT_LABEL) == EXTRA_COMPONENT else ", ".join(names)


def listed_names(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the names of objects for a message."""
    return ", ".join(sorted(body["metadata"]["name"] for body in found))
