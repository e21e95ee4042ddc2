# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a Kubernetes object as a table of paths and values."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]
"""Path -> value. A list of texts is one value."""

ITEM_KEYS = ("mountPath", "containerPort", "port", "topologyKey", "name", "key")
"""What tells the items of a list apart: the first of these that an item has, else its place."""


def flattened(node: Any) -> Fields:
    """Return the fields of a part of an object.

    An item stands in the path by what tells it apart, `env[REDIS_URL]`, and is a field itself, so that an item which
    states nothing else counts. A key with a dot in it stands in brackets, too.
    """
    return dict(_walk("", node))


def object_fields(body: dict[str, Any]) -> Fields:
    """Return the fields of an object except its kind and name.

    `pod` is short for the pod of a Deployment, and `container` for its only container.
    Values of a Secret are not shown, except the address of Redis.
    """
    containers = body.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    fields = {}
    for path, value in _walk("", body):
        if len(containers) == 1:
            path = re.sub(r"^spec\.template\.spec\.containers\[[^]]*\]", "container", path)
        path = re.sub(r"^spec\.template\.spec\b", "pod", path)
        if body["kind"] == "Secret" and path.startswith("data."):
            path = f"string{path.capitalize()}"
            value = b64decode(value).decode() if path == "stringData.redis-url" else "a value"
        fields[path] = value
    return {path: value for path, value in fields.items() if path not in ("kind", "metadata.name")}


def below(fields: Fields, path: str) -> Fields:
    """Return what is below the path, by the rest of the path, or the field itself by an empty text."""
    children = {
        field.removeprefix(path).removeprefix("."): value
        for field, value in fields.items()
        if field.startswith((f"{path}.", f"{path}["))
    }
    return children or ({"": fields[path]} if path in fields else {})


def _walk(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            step = f"[{key}]" if "." in key else f".{key}"
            yield from _walk(f"{path}{step}".removeprefix("."), value)
    elif isinstance(node, list) and node and all(isinstance(item, dict) for item in node):
        names = [next((name for name in ITEM_KEYS if name in item), None) for item in node]
        keys = [item[name] if name else place for place, (item, name) in enumerate(zip(node, names, strict=True))]
        if len(set(keys)) < len(keys):
            keys, names = list(range(len(node))), [None] * len(node)
        for item, name, key in zip(node, names, keys, strict=True):
            yield f"{path}[{key}]", key
            if rest := {field: value for field, value in item.items() if field != name}:
                yield from _walk(f"{path}[{key}]", rest)
    else:
        yield path, node
