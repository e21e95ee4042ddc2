# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have set in the pods of a workload; tests/integration has it from a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.foreign_fields import (
    SHOWN,
    told_fields_of_others,
)

OURS = {"f:spec": {"f:template": {"f:spec": {"f:hostNetwork": {}}}}}


def a_workload(kind: str, theirs: list[str], ours: dict[str, Any] | None = OURS) -> dict[str, Any]:
    """Return a workload in whose pods kubectl-edit has set the fields *theirs*, and a label."""
    fields = {f"f:{name}": {} for name in theirs}
    below = {"f:template": {"f:metadata": {"f:labels": {}}, "f:spec": fields}}
    entries = [{"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": below}}]
    if ours is not None:
        entries.append({"manager": "agentsmith.platform", "operation": "Apply", "fieldsV1": ours})
    template = {"metadata": {"labels": {"a": "b"}}, "spec": dict.fromkeys(theirs, "MARKED")}
    metadata = {"name": "redis", "managedFields": entries}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": template}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_they_are_named_with_who_set_them_and_without_their_values(kind: str) -> None:
    text = told_fields_of_others(a_workload(kind, ["hostNetwork", "nodeName", "dnsPolicy"]))
    expected = "spec.template.spec.nodeName (by kubectl-edit), spec.template.spec.dnsPolicy (by kubectl-edit). drift"
    assert text.startswith(f"Others have set in its pods: {expected} shows")
    assert "MARKED" not in text


def test_of_many_some_are_named() -> None:
    text = told_fields_of_others(a_workload("Deployment", [f"field{number}" for number in range(SHOWN + 2)]))
    assert text.count("(by kubectl-edit)") == SHOWN
    assert f"field{SHOWN - 1} (by kubectl-edit) and 2 more. drift" in text


@pytest.mark.parametrize("ours", [OURS, None])
def test_there_are_none(ours: dict[str, Any] | None) -> None:
    # What a release that is not ours states, is not of others
    assert told_fields_of_others(a_workload("Deployment", [] if ours else ["nodeName"], ours)) == ""
