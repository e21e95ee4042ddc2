# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of `agentsmith_config/schema.py` as JSON Schema (draft 2020-12), for editors.

It refuses nothing that the check accepts: whether a key is read depends on other keys and on the pipeline, which a
schema cannot follow, so it holds what makes the app refuse the file, and what every project needs. To write it anew:

    PYTHONPATH=.collections .venv/bin/python tools/json_schema.py > docs/agentsmith.schema.json
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.scalars import (
    FALSE_WORDS,
    INT32_MAX,
    INT32_MIN,
    TRUE_WORDS,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import (
    COMMANDS,
    NOISE_WORDS,
    PIPELINE,
    PROJECT,
    PROJECT_NAME,
    ROOT,
    SECRETS,
    TICKETS,
    Choice,
    Flag,
    Integer,
    Key,
    ListOf,
    MapOf,
    Record,
    Text,
)

_SECTIONS = ("source", "agent")
"""Records that a pipeline without their steps does not read: nothing in them is needed for sure."""
_INTEGER = "^\\s*[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|[0-9_]+(:[0-9_]+)*)\\s*$"
_NUMBER = "^\\s*[-+]?([0-9_]*\\.?[0-9_]*([eE][-+]?[0-9]+)?[-+]?|\\.[iI][nN][fF]|\\.nan|\\.NaN|\\.NAN)\\s*$"


def json_schema() -> dict[str, Any]:
    """The whole schema."""
    definitions: dict[str, Any] = {}
    root = _record(ROOT, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "agentsmith.yml",
        "description": "Configuration of Agent Smith at be4bffa1 (2026-02-20). Generated; do not edit.",
        **root,
        "$defs": definitions,
    }


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, Record):
        name = kind.name.replace(" ", "_")
        if name not in definitions:
            definitions[name] = {}
            definitions[name].update(_record(kind, definitions))
        return {"$ref": f"#/$defs/{name}"}
    if kind is SECRETS:
        return {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^(\$\{[^{}]*\})?$"}}
    if isinstance(kind, MapOf):
        if kind.item is PROJECT:
            allowed = {"pattern": f"^{PROJECT_NAME.pattern}$", "not": {"enum": list(NOISE_WORDS)}}
            names: dict[str, Any] = {"minProperties": 1, "propertyNames": allowed}
            return {"type": "object", **names, "additionalProperties": _of(kind.item, definitions)}
        return {"type": "object", "additionalProperties": _or_null(_of(kind.item, definitions))}
    if isinstance(kind, ListOf):
        return {"type": "array", "items": _or_null(_of(kind.item, definitions))}
    return _scalar(kind)


def _scalar(kind: Any) -> dict[str, Any]:
    # `pattern` holds for texts only, so both spellings fit into one schema. A number or flag may be a mapping: it is 0.
    if isinstance(kind, Integer):
        bounds = {"minimum": INT32_MIN, "maximum": INT32_MAX}
        return {"type": ["integer", "string", "object", "null"], "pattern": _INTEGER, **bounds}
    if isinstance(kind, Flag):
        folded = "|".join(_any_case(word) for word in (*TRUE_WORDS, *FALSE_WORDS))
        return {"type": ["boolean", "string", "object", "null"], "pattern": f"^({folded})$"}
    if isinstance(kind, Choice | Text):
        return {"type": ["string", "number", "boolean"]}
    return {"type": ["number", "string", "object", "null"], "pattern": _NUMBER}


_TICKETS_NEED = {
    "GitHub": (
        "url",
        r"^\s*([^:/?#]+:)?//[^/\\?#]*[gG][iI][tT][hH][uU][bB]\.[cC][oO][mM]\.?(:\d*)?([/\\]+[^/\\?#]+){2}",
    ),
    "AzureDevOps": ("organization", r"^[^/\\?#{}<>]*[^/\\?#{}<>.\s][^/\\?#{}<>]*$"),
}
"""By type, the key that the app always reads, and what a text must look like at least."""


def _tickets_need(type_: str, key: str, pattern: str) -> dict[str, Any]:
    is_type = {"required": ["type"], "properties": {"type": {"type": "string", "pattern": f"^{_any_case(type_)}$"}}}
    return {
        "if": is_type,
        "then": {"required": [key], "properties": {key: {"not": {"type": "null"}, "pattern": pattern}}},
    }


def _choice(kind: Choice) -> dict[str, Any]:
    folded = "|".join(_any_case(value) for value in kind.values)
    return {"anyOf": [{"enum": list(kind.values)}, {"type": "string", "pattern": f"^({folded})$"}]}


def _record(record: Record, definitions: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _key(record, name, key, definitions) for name, key in record.keys.items()},
    }
    if required := [name for name, key in record.keys.items() if _is_needed(record, name, key)]:
        schema["required"] = required
    if record is TICKETS:
        schema["allOf"] = [_tickets_need(type_, *need) for type_, need in _TICKETS_NEED.items()]
    if record is PIPELINE:
        descriptions = "\n".join(f"{name}: {command.description}" for name, command in COMMANDS.items())
        commands = schema["properties"]["commands"]["anyOf"][0]
        commands["items"]["description"] = descriptions
        commands["items"]["examples"] = list(COMMANDS)
    return schema


def _is_needed(record: Record, name: str, key: Key) -> bool:
    """Whether the app fails without the key in every project, whatever its pipeline does."""
    return key.required and (record in (ROOT, TICKETS) or (record is PROJECT and name not in _SECTIONS))


def _key(record: Record, name: str, key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    needed = _is_needed(record, name, key)
    if isinstance(key.kind, Choice):
        schema = _choice(key.kind) if needed else {**_scalar(key.kind), "examples": list(key.kind.values)}
    else:
        schema = _of(key.kind, definitions)
    if not needed and record is not ROOT:
        schema = _or_null(schema)
    read = "" if key.never_read else f" Read by: {key.read.by}."
    schema["description"] = f"{key.description} {key.never_read}." if key.never_read else f"{key.description}{read}"
    if key.never_read:
        schema["deprecated"] = True
    if key.default is not None:
        schema["default"] = key.default
    return schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else re.escape(c) for c in word)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
