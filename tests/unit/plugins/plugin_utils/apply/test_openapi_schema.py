# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects against a schema as an API server publishes it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.openapi_schema import schema_faults

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
SCHEMAS: dict[str, dict[str, Any]] = {
    "example.Thing": {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {"default": {}, "allOf": [{"$ref": "#/components/schemas/example.Spec"}]},
            "data": {"type": "object", "additionalProperties": {"type": "string"}},
            "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {}}},
        },
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
    },
    "example.Spec": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "replicas": {"type": "integer", "format": "int32"},
            "weight": {"type": "number"},
            "enabled": {"type": "boolean"},
            "port": {"type": "string", "format": "int-or-string"},
            "policy": {"type": "string", "enum": ["Always", "Never"]},
            "size": {"$ref": f"#/components/schemas/{QUANTITY}"},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/example.Spec"}},
        },
    },
    QUANTITY: {"type": "string"},
}


def thing(spec: Any = None, **content: Any) -> dict[str, Any]:
    """Return an object of the schema."""
    spec = {"name": "a"} if spec is None else spec
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec, **content}


@pytest.mark.parametrize(
    "body",
    [
        thing(),
        thing({"name": "a", "replicas": 1, "weight": 1, "enabled": False, "port": 80, "policy": "Never", "size": 1}),
        thing({"name": "a", "port": "http", "weight": 1.5, "size": "1Gi", "parts": [{"name": "b"}]}),
        thing(data={"any.key": "x"}, anything={"a": 1, "b": 2}),
    ],
)
def test_a_sound_object_has_no_faults(body: dict[str, Any]) -> None:
    assert schema_faults(body, SCHEMAS, complete=True) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (thing({"name": "a", "Replicas": 1}), "spec.Replicas does not exist; did you mean replicas?"),
        (thing({"name": "a", "x": 1}), "spec.x does not exist; there are: enabled, name,"),
        (thing({"name": "a", "replicas": "two"}), "spec.replicas must be of type integer, but a text is given."),
        (thing({"name": "a", "replicas": True}), "spec.replicas must be of type integer, but a boolean is given."),
        (thing({"name": "a", "enabled": "yes"}), "spec.enabled must be of type boolean, but a text is given."),
        (thing({"name": 1}), "spec.name must be of type string, but a number is given."),
        (thing({"name": "a", "policy": "Sometimes"}), "spec.policy must be one of Always, Never."),
        (thing({"name": "a", "parts": {}}), "spec.parts must be of type array, but a dictionary is given."),
        (thing({"name": "a", "parts": [{"name": "b", "z": 1}]}), "spec.parts[0].z does not exist;"),
        (thing({}), "spec.name is missing."),
        (thing({"name": "a", "parts": [{}]}), "spec.parts[0].name is missing."),
        (thing(data={"agentsmith.yml": {}}), "data[agentsmith.yml] must be of type string, but a dictionary is given."),
    ],
)
def test_a_fault_is_named_with_its_place(body: dict[str, Any], fault: str) -> None:
    (found,) = schema_faults(body, SCHEMAS, complete=True)
    assert found.startswith(f"Thing t: {fault}")


def test_an_object_that_exists_may_be_stated_in_part() -> None:
    assert schema_faults(thing({"replicas": 2}), SCHEMAS, complete=False) == []


def test_a_kind_without_schema_is_not_judged() -> None:
    assert schema_faults({**thing({"x": 1}), "kind": "Other"}, SCHEMAS, complete=True) == []
