# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have stated of a workload's pods, beside the release or instead of it: it may keep them from running."""

from collections.abc import Mapping
from typing import Any

from ..objects.kinds import kind_of_body
from ..objects.managed_fields import as_text, fields_of_others, recorded_fields, value_at

SHOWN = 5  # fields; kubectl rollout undo states all of them


def told_fields_of_others(workload: Mapping[str, Any]) -> str:
    """Return which fields these are, who stated them, and what to do; no values, as they may be secret.

    It is empty where there are none, and for what no deploy of ours has applied. What admission adds has no owner, and
    is left out. So are labels and annotations, which run nothing.
    """
    if not recorded_fields(workload):
        return ""
    of_pods = (*(kind_of_body(workload).pod_template or ()), "spec")
    found = [
        f"{as_text(path)} (by {owner.manager})"
        for path, owner in fields_of_others(workload)
        if owner and path[: len(of_pods)] == of_pods and value_at(workload, path) is not None
    ]
    if not found:
        return ""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"Others have set in its pods: {', '.join(found[:SHOWN])}{more}. drift shows the values. A deploy sets back "
        "what the release states, and no more: remove the rest with kubectl edit."
    )
