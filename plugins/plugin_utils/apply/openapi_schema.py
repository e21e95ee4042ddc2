# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects against the OpenAPI v3 schema of the API server: what can be known before the first write.

A dry run is the stronger check, but it needs the namespace, and creating one there for another namespace would ask for
permissions that a deploy does not have. The schema finds fields that do not exist, wrong types and missing fields. It
does not find what the server checks across fields or by admission (quota, Pod Security, webhooks).
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects.identity import Identity
from ..objects.managed_fields import Path, as_text
from ..text.type_in_words import type_in_words

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
# Texts that the server also accepts as numbers, and the other way round.
FREE_FORMATS = frozenset({"int-or-string"})
FREE_TYPES = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString")

Schemas = Mapping[str, Mapping[str, Any]]


def schema_faults(body: Mapping[str, Any], schemas: Schemas, complete: bool) -> list[str]:
    """Return what is wrong with an object, one sentence each; empty when nothing is, or its kind has no schema.

    :param complete: whether required fields must be there. An object that exists may be stated in part.
    """
    group, _slash, version = body["apiVersion"].rpartition("/")
    wanted = {"group": group, "version": version, "kind": body["kind"]}
    for schema in schemas.values():
        if wanted in (schema.get("x-kubernetes-group-version-kind") or []):
            faults: list[str] = []
            _check(body, schema, schemas, (), complete, faults)
            return [f"{Identity.of(body)}: {fault}" for fault in faults]
    return []


def _check(
    value: Any, schema: Mapping[str, Any], schemas: Schemas, path: Path, complete: bool, faults: list[str]
) -> None:
    schema = _resolved(schema, schemas)
    expected = schema.get("type")
    if schema.get("format") in FREE_FORMATS or schema.get("x-kubernetes-int-or-string") or expected not in TYPES:
        return
    if not isinstance(value, TYPES[expected]) or (isinstance(value, bool) and expected != "boolean"):
        # Not the value itself: it may be what an object hides.
        faults.append(f"{as_text(path)} must be of type {expected}, but {type_in_words(value)} is given.")
    elif isinstance(value, dict):
        _check_object(value, schema, schemas, path, complete, faults)
    elif isinstance(value, list) and "items" in schema:
        for position, entry in enumerate(value):
            _check(entry, schema["items"], schemas, (*path, f"[{position}]"), complete, faults)
    elif "enum" in schema and value not in schema["enum"]:
        faults.append(f"{as_text(path)} must be one of {', '.join(map(str, schema['enum']))}.")


def _check_object(
    value: dict[str, Any], schema: Mapping[str, Any], schemas: Schemas, path: Path, complete: bool, faults: list[str]
) -> None:
    properties = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    closed = bool(properties) and not others and not schema.get("x-kubernetes-preserve-unknown-fields")
    for key, entry in value.items():
        if key in properties:
            _check(entry, properties[key], schemas, (*path, key), complete, faults)
        elif isinstance(others, dict):
            _check(entry, others, schemas, (*path, key), complete, faults)
        elif closed:
            faults.append(f"{as_text((*path, key))} does not exist; {_nearest(key, properties)}")
    if complete:
        faults.extend(
            f"{as_text((*path, key))} is missing." for key in schema.get("required") or [] if key not in value
        )


def _nearest(key: str, properties: Iterable[str]) -> str:
    """Name the field that differs in case only, else all that there are."""
    same = [name for name in properties if name.lower() == key.lower()]
    return f"did you mean {same[0]}?" if same else f"there are: {', '.join(sorted(properties))}."


def _resolved(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    """Follow references; a field's own schema wraps the reference in allOf to give it a default or a description."""
    while "$ref" in schema or len(schema.get("allOf") or []) == 1:
        reference = schema["$ref"] if "$ref" in schema else schema["allOf"][0].get("$ref", "")
        name = reference.rpartition("/")[2]
        if name in FREE_TYPES or name not in schemas:
            return {}
        schema = schemas[name]
    return schema
