# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of who stated what, when the fields of another tool become ours."""

from __future__ import annotations

from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.adoption import migrated, refusal
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import FIELD_MANAGER
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject

HELM = {
    "manager": "helm",
    "operation": "Update",
    "apiVersion": "v1",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {"f:chart": {}}}},
}
STATUS = {**HELM, "subresource": "status"}
GLBC = {"manager": "glbc", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {"f:neg": {}}}}}


def live(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "a", "managedFields": list(entries)}}


def test_the_fields_of_a_tool_become_ours_and_those_of_others_stay_theirs() -> None:
    *kept, ours = migrated(live(HELM, STATUS, GLBC), "v1", {"helm"})
    assert kept == [STATUS, GLBC]
    assert (ours["manager"], ours["operation"], ours["apiVersion"]) == (FIELD_MANAGER, "Apply", "v1")
    assert ours["fieldsV1"] == HELM["fieldsV1"]


def test_what_is_ours_already_stays_in_one_record() -> None:
    mine = {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "fieldsV1": {"f:data": {"f:b": {}}, "f:metadata": {"f:labels": {}}},
    }
    (ours,) = migrated(live(mine, HELM), "v1", {"helm"})
    assert ours == {
        **mine,
        "fieldsV1": {
            "f:data": {".": {}, "f:a": {}, "f:b": {}},
            # Recorded as a whole by one, in parts by the other
            "f:metadata": {"f:labels": {".": {}, "f:chart": {}}},
        },
    }


def contested(kind: str, *fields: str) -> PlannedObject:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}}
    item = PlannedObject(body, "/a", body, "updated")
    item.former_owners = [{"manager": "helm", "fields": list(fields)}]
    return item


def test_the_refusal_names_the_switch_that_fits() -> None:
    workload, namespace = contested("Service", *"abcdef"), contested("Namespace", "metadata.labels")
    text = refusal([workload])
    assert "Service a: helm owns a, b, c, d and 2 more" in text
    assert "agentsmith_adopt=true" in text
    assert "namespace_create" not in text
    text = refusal([namespace])
    assert "agentsmith_adopt" not in text
    assert "set namespace_create to false" in text
    text = refusal([workload, namespace])
    assert "agentsmith_adopt=true" in text
    assert "set namespace_create to false" in text
