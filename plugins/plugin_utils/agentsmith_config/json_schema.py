# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of `schema` as JSON Schema (draft 2020-12), for editors.

It cannot say everything that the check says (a pipeline that exists, commands in order), and it is stricter where an
editor should speak up: a key that the app ignores is an error here. As a program it writes the schema to stdout:

    export PYTHONPATH=.collections
    python -m ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.json_schema
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from .scalars import FALSE_WORDS, INT32_MAX, TRUE_WORDS
from .schema import (
    AGENT,
    COMMANDS,
    NOISE_WORDS,
    PIPELINE,
    PROJECT,
    PROJECT_NAME,
    ROOT,
    SECRETS,
    SOURCE,
    SOURCE_PROVIDERS,
    TICKETS,
    TICKETS_PROVIDERS,
    Choice,
    Flag,
    Integer,
    Key,
    ListOf,
    MapOf,
    Price,
    Provider,
    Real,
    Record,
)

_PROVIDERS: dict[str, dict[str, Provider]] = {SOURCE.name: SOURCE_PROVIDERS, TICKETS.name: TICKETS_PROVIDERS}
# Any text but white space, without a placeholder: `${NAME}` is resolved under `secrets` only.
_LITERAL = r"^(?![\s\S]*\$\{[^{}]*\})[\s\S]*\S"
_EMPTY_OR_LITERAL = rf"^$|{_LITERAL}"


def json_schema() -> dict[str, Any]:
    """The whole schema."""
    definitions: dict[str, Any] = {}
    root = _record(ROOT, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "agentsmith.yml",
        "description": "Configuration of Agent Smith at Phase 19 (2026-02-20). Generated; do not edit.",
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
        names: dict[str, Any] = {}
        if kind.item is PROJECT:
            allowed = {"pattern": f"^{PROJECT_NAME.pattern}$", "not": {"enum": list(NOISE_WORDS)}}
            names = {"minProperties": 1, "propertyNames": allowed}
        return {"type": "object", **names, "additionalProperties": _of(kind.item, definitions)}
    if isinstance(kind, ListOf):
        return {"type": "array", "minItems": 1, "items": _of(kind.item, definitions)}
    return _scalar(kind)


def _scalar(kind: Any) -> dict[str, Any]:
    # Keywords such as `minimum` and `pattern` hold for their own type only, so that both spellings fit into one schema.
    if isinstance(kind, Choice):
        folded = "|".join(_any_case(value) for value in kind.values)
        return {"anyOf": [{"enum": list(kind.values)}, {"type": "string", "pattern": f"^({folded})$"}]}
    if isinstance(kind, Integer):
        limits = {"minimum": kind.minimum, "maximum": INT32_MAX}
        return {"type": ["integer", "string"], **limits, "pattern": "^[+]?[0-9][0-9_]*$"}
    if isinstance(kind, Real | Price):
        exponent = "([eE][-+]?[0-9]+)?" if isinstance(kind, Real) else ""
        pattern = rf"^[+]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+){exponent}$"
        return {"type": ["number", "string"], "minimum": kind.minimum, "pattern": pattern}
    if isinstance(kind, Flag):
        folded = "|".join(_any_case(word) for word in (*TRUE_WORDS, *FALSE_WORDS))
        return {"type": ["boolean", "string"], "pattern": f"^({folded})$"}
    return {
        "type": ["string", "number", "boolean"],
        "pattern": _EMPTY_OR_LITERAL if kind.may_be_empty else _LITERAL,
    }


def _record(record: Record, definitions: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _key(key, definitions) for name, key in record.keys.items()},
    }
    if required := [name for name, key in record.keys.items() if key.required]:
        schema["required"] = required
    if record is PIPELINE:
        descriptions = "\n".join(f"{name}: {command.description}" for name, command in COMMANDS.items())
        schema["properties"]["commands"]["items"] = {"enum": list(COMMANDS), "description": descriptions}
    if record is AGENT:
        schema["anyOf"] = [{"required": ["model"]}, {"required": ["models"]}]
    if record.name in _PROVIDERS:
        schema["allOf"] = [_provider(name, provider) for name, provider in _PROVIDERS[record.name].items()]
    return schema


def _key(key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _of(key.kind, definitions)
    if key.nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    schema["description"] = f"{key.description} {key.never_read}." if key.never_read else key.description
    if key.never_read:
        schema["deprecated"] = True
    if key.default is not None:
        schema["default"] = key.default
    return schema


def _provider(name: str, provider: Provider) -> dict[str, Any]:
    """What one type needs beside `type`, and gets from no environment variable."""
    matches = {"type": "string", "pattern": f"^{_any_case(name)}$"}
    required = [key for key in provider.required if key not in provider.variables]
    needed = {"required": required, "properties": {key: {"not": {"type": "null"}} for key in required}}
    return {"if": {"required": ["type"], "properties": {"type": matches}}, "then": needed}


def _any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else re.escape(c) for c in word)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
