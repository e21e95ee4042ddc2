# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of one rendered template to one Kubernetes object.

Private to this collection. Rendered text may hold secrets, so no error from here quotes more of it than what names
an object: an error gives the place and the rule.
"""

import re
import typing as t

import yaml

from ..objects.kinds import TEMPLATE, kind_of_body
from ..objects.labels import (
    COMPONENT_LABEL,
    INSTANCE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    NAMESPACE_LABEL,
    PART_OF,
    PART_OF_LABEL,
)
from ..objects.managed_fields import value_at
from ..text.counted import counted
from ..text.map_texts import map_texts

Manifest = dict[str, t.Any]

LABEL_VALUE_MAXIMUM = 63  # characters, Kubernetes: "Labels and Selectors"

# What JSON, and so a Kubernetes object, can hold. A date that YAML recognises in an unquoted text is not among it.
_JSON_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
_TEXT_TAG = "tag:yaml.org,2002:str"
_NULL_TAG = "tag:yaml.org,2002:null"

# A character above U+FFFF as JSON writes it: two escapes, the first not itself escaped
_SURROGATE_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class ManifestError(ValueError):
    """A rendered text that is no Kubernetes object. The message quotes nothing of the text but what names an object."""


def parse_manifest(text: str) -> Manifest | None:
    """Return the one object in `text` (YAML), or None where the text holds nothing but white space and comments.

    Stricter than YAML where YAML is silent: a duplicate key, a key that is not a text, and a value that JSON cannot
    hold are errors.
    """
    # libyaml's loader is ten times as fast; PyYAML is sometimes built without it
    loader: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(_SURROGATE_PAIR.sub(_as_yaml_escape, text))
    try:
        documents: list[yaml.Node] = []
        while loader.check_node():
            node = loader.get_node()
            if node.tag != _NULL_TAG:
                documents.append(node)
        if not documents:
            return None
        if len(documents) > 1:
            raise ManifestError(
                f"it renders {counted(len(documents), 'YAML document')}, the second at {_place(documents[1])}; "
                "give every object a template of its own"
            )
        _check_node(documents[0], set())
        manifest: Manifest = loader.construct_document(documents[0])
    except yaml.MarkedYAMLError as error:
        place = _place_of_mark(error.problem_mark or error.context_mark)
        raise ManifestError(
            f"it does not render valid YAML, at {place}; write every value as {{{{ value | to_json }}}}, "
            "so that no character of it can leave its place"
        ) from None
    except yaml.YAMLError:
        raise ManifestError(
            "it renders a character that YAML does not allow; write every value as {{ value | to_json }}"
        ) from None
    finally:
        loader.dispose()
    _check_identity(manifest)
    return manifest


def labelled(manifest: t.Any, instance: str, component: str, namespace: str | None = None) -> Manifest:
    """Return a copy, with labels, of an object that no template rendered.

    One of another namespace than the release's is refused: no removal and no comparison would ever look there.
    """
    copy: Manifest = map_texts(manifest, lambda text: text)
    _check_identity(copy)
    elsewhere = copy["metadata"].get("namespace")
    if namespace and elsewhere and elsewhere != namespace:
        raise ManifestError(
            f"its {copy['kind']} {copy['metadata']['name']} is in the namespace {elsewhere}, the release is in "
            f"{namespace}, and nothing of it would be pruned, torn down or compared elsewhere; "
            "set its metadata.namespace to agentsmith_namespace, or apply it by other means"
        )
    stamp_labels(copy, instance, component, namespace)
    return copy


def stamp_labels(manifest: Manifest, instance: str, component: str, namespace: str | None = None) -> None:
    """Set Kubernetes' recommended labels on `manifest` and, where it has one, on its pod template.

    `app.kubernetes.io/name` is the object's name, unless the template states one: a name may be longer than a label.
    An object that belongs to no namespace gets the label that tells whose it is: the release's `namespace`.
    """
    name = (manifest["metadata"].get("labels") or {}).get(NAME_LABEL) or manifest["metadata"]["name"]
    if len(name) > LABEL_VALUE_MAXIMUM:
        raise ManifestError(
            f"metadata.name of its {manifest['kind']} has {counted(len(name), 'character')}; as the value of the label "
            f"{NAME_LABEL} it may have {LABEL_VALUE_MAXIMUM}"
        )
    labels = {
        NAME_LABEL: name,
        INSTANCE_LABEL: instance,
        COMPONENT_LABEL: component,
        PART_OF_LABEL: PART_OF,
        MANAGED_BY_LABEL: MANAGED_BY,
    }
    _merge_labels(manifest["metadata"], labels)
    if namespace and not manifest["metadata"].get("namespace") and manifest["kind"] != "Namespace":
        _merge_labels(manifest["metadata"], {NAMESPACE_LABEL: namespace})
    # Kinds of operators mostly have their template where a Deployment has it.
    template = value_at(manifest, kind_of_body(manifest).pod_template or TEMPLATE)
    if isinstance(template, dict):
        _merge_labels(template.setdefault("metadata", {}), labels)


def _merge_labels(metadata: Manifest, labels: dict[str, str]) -> None:
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}


def _check_identity(manifest: object) -> None:
    if not isinstance(manifest, dict):
        raise ManifestError("it is no mapping; a Kubernetes object is one")
    for key in ("apiVersion", "kind"):
        if not isinstance(manifest.get(key), str) or not manifest[key]:
            raise ManifestError(f"the object has no {key}")
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise ManifestError(f"its {manifest['kind']} has no metadata.name")


def _check_node(node: yaml.Node, seen: set[int]) -> None:
    """Refuse what a Kubernetes object cannot hold, and what YAML would drop in silence."""
    if id(node) in seen:  # reached through a YAML alias
        return
    seen.add(id(node))
    if node.tag not in _JSON_TAGS:
        raise ManifestError(f"the value at {_place(node)} is of no JSON type (a date, a YAML tag); quote it")
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_node(item, seen)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if key.tag != _TEXT_TAG:
                raise ManifestError(f"the key at {_place(key)} is not a text; quote it")
            if key.value in keys:
                raise ManifestError(f"the key at {_place(key)} is in its mapping already")
            keys.add(key.value)
            _check_node(value, seen)


def _as_yaml_escape(pair: re.Match[str]) -> str:
    """YAML reads each \\u as a character of its own, so both halves must become one \\U."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _place(node: yaml.Node) -> str:
    return _place_of_mark(node.start_mark)


def _place_of_mark(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1} of what it renders" if mark else "an unknown place"
