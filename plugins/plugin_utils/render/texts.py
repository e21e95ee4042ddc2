# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no text although only a text can stand there.

YAML reads 0123, 1.10, yes and 2026-01-01 as something else, and what would be written into an object is another text
(83, 1.1, True). No value is quoted: it may be secret.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..text.type_in_words import type_in_words

ADVICE = 'a text: put it in quotes, as YAML reads 0123, 1.10, yes and dates as other types ("1.10")'

# Fields of Kubernetes' own kinds that are a map of texts, or a list of texts. Fields of other types with these names
# hold dictionaries (a selector with matchLabels), in which the search goes on.
_MAPS = re.compile(r"(?:\w+_)?(?:labels|annotations|node_selector)|nodeSelector|matchLabels|selector|volumeAttributes")
_LISTS = {"args", "command", "values", "hostnames", "finalizers", "loadBalancerSourceRanges", "externalIPs"}
# Fields that are a text wherever they are no container
_TEXTS = {
    *("name", "namespace", "key", "operator", "effect", "image", "type", "protocol", "cidr", "ip"),
    *("mountPath", "subPath", "secretName", "claimName", "topologyKey", "storageClassName", "priorityClassName"),
}
_MAPS_OF_KIND = {"ConfigMap": {"data", "binaryData"}, "Secret": {"data", "stringData"}}


def argument_misfits(name: str, argument: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Say of every value within that of a role variable that is no text and should be: "x.name is a number".

    :param argument: what the argument spec says of the variable
    """
    kind, options = argument.get("type", "str"), argument.get("options")
    if kind == "str" and value is not None:
        yield from _unless_text(name, value)
    elif kind == "list" and isinstance(value, list):
        item_argument = {"type": argument.get("elements", "raw"), "options": options}
        for index, item in enumerate(value):
            yield from argument_misfits(f"{name}[{index}]", item_argument, item)
    elif kind == "dict" and isinstance(value, dict) and options:
        for key in value.keys() & options.keys():
            yield from argument_misfits(f"{name}.{key}", options[key], value[key])
    elif kind == "dict" and ("[" in name or name.endswith("affinity") or is_map_of_texts(name)):
        yield from _field_misfits(name, name, value)


def is_map_of_texts(field: str) -> bool:
    """Whether a field, or a variable that is named after one (redis_pod_labels), maps names to texts."""
    return bool(_MAPS.fullmatch(field))


def object_misfits(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Say of every value of an object that is no text and should be: "spec.selector.app is a boolean".

    Of kinds that are not Kubernetes' own nobody knows the fields here, beside their metadata.
    """
    yield from _field_misfits("metadata", "metadata", manifest.get("metadata"))
    group = str(manifest.get("apiVersion")).rpartition("/")[0]
    if "." not in group or group == "networking.k8s.io":
        maps = _MAPS_OF_KIND.get(str(manifest.get("kind")), set())
        for key, value in manifest.items():
            if key in maps and isinstance(value, dict):
                yield from _map_misfits(key, value)
            elif key != "metadata":
                yield from _field_misfits(key, key, value)


def _field_misfits(path: str, field: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if field in _LISTS:
                yield from _unless_text(f"{path}[{index}]", item)
            else:
                yield from _field_misfits(f"{path}[{index}]", "", item)
    elif isinstance(value, dict):
        if is_map_of_texts(field):
            yield from _map_misfits(path, value)
            return
        # An environment variable, a header, a toleration. A metric's target has a value, too, which is a quantity
        texts = _TEXTS | ({"value"} if value.keys() & {"name", "key"} else set())
        for key, item in value.items():
            if key in texts and not isinstance(item, dict | list | None):
                yield from _unless_text(f"{path}.{key}", item)
            else:
                yield from _field_misfits(f"{path}.{key}", str(key), item)


def _map_misfits(path: str, value: dict[Any, Any]) -> Iterator[str]:
    for key, item in value.items():
        if not isinstance(key, str):
            yield f"{path} has a key that is {type_in_words(key)}"
        elif isinstance(item, dict | list):
            yield from _field_misfits(f"{path}.{key}", key, item)
        else:
            yield from _unless_text(f"{path}.{key}", item)


def _unless_text(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} is {type_in_words(value)}"
