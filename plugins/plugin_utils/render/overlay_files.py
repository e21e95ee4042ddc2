# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of several targets as a base with an overlay for each target, which kustomize puts together again.

What all targets have in common is in the base. What one has alone, or differently, its overlay adds: whole objects, and
JSON patches that only add. So nothing of one target stands in the base. Private to this collection.
"""

import typing as t
from collections.abc import Mapping, Sequence

from ..objects.equality import same_in_json
from ..text.block_yaml import block_yaml
from .manifest_files import HEADER, KUSTOMIZATION, WIDTH, file_name, file_texts, kustomization

BASE, OVERLAYS = "base", "overlays"

Objects = list[dict[str, t.Any]]
Identity = tuple[str, str, str]
_NOTHING = object()


def overlay_texts(targets: Mapping[str, Objects]) -> dict[str, str]:
    """Return the text of every file by its path.

    :param targets: the objects of each target, by its name
    :raises FilesError: objects that cannot be written
    """
    for objects in targets.values():
        file_texts(objects)  # for what it refuses
    by_identity = {name: {_identity(manifest): manifest for manifest in objects} for name, objects in targets.items()}
    base = _base(list(by_identity.values()))
    texts = {f"{BASE}/{path}": text for path, text in file_texts(list(base.values())).items()}
    for name, identified in by_identity.items():
        texts |= {f"{OVERLAYS}/{name}/{path}": text for path, text in _overlay(identified, base).items()}
    return texts


def _identity(manifest: Mapping[str, t.Any]) -> Identity:
    """Without the namespace, in which targets differ."""
    return manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]


def _base(targets: Sequence[Mapping[Identity, t.Any]]) -> dict[Identity, t.Any]:
    first, *others = targets
    # A Secret is applied by no Kustomization, so no overlay could add to it
    shared = [key for key in first if key[1] != "Secret" and all(key in other for other in others)]
    return {key: _common([target[key] for target in targets]) for key in shared}


def _overlay(objects: Mapping[Identity, t.Any], base: Mapping[Identity, t.Any]) -> dict[str, str]:
    texts = file_texts([manifest for key, manifest in objects.items() if key not in base])
    own = [path for path in texts if "/" not in path and path != KUSTOMIZATION]
    patches = []
    for key, common in base.items():
        if additions := list(_additions(common, objects[key], "")):
            path = f"patch-{file_name(objects[key])}"
            texts[path] = HEADER + block_yaml(additions, WIDTH)
            group, _slash, version = key[0].rpartition("/")
            patches.append(
                {"path": path, "target": {"group": group, "version": version, "kind": key[1], "name": key[2]}}
            )
    texts[KUSTOMIZATION] = kustomization([f"../../{BASE}", *sorted(own)], patches)
    return texts


def _common(values: Sequence[t.Any]) -> t.Any:
    """What the values share: of maps the keys, of lists of the same things each element."""
    first = values[0]
    if all(same_in_json(value, first) for value in values):
        return first
    if all(isinstance(value, dict) for value in values):
        shared = {key: _common([value[key] for value in values]) for key in first if all(key in v for v in values)}
        return {key: value for key, value in shared.items() if value is not _NOTHING}
    if _are_lists_of_the_same(values):
        return [_common(elements) for elements in zip(*values, strict=True)]
    return _NOTHING


def _are_lists_of_the_same(values: Sequence[t.Any]) -> bool:
    if not all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        return False
    return all(
        all(isinstance(element, dict) for element in elements)
        and len({str(element.get("name")) for element in elements}) == 1
        for elements in zip(*values, strict=True)
    )


def _additions(common: t.Any, whole: t.Any, path: str) -> t.Iterator[dict[str, t.Any]]:
    """The operations of a JSON patch (RFC 6902) that make of the common part the whole."""
    if isinstance(whole, list):
        for position, (ours, theirs) in enumerate(zip(common, whole, strict=True)):
            if not same_in_json(ours, theirs):
                yield from _additions(ours, theirs, f"{path}/{position}")
        return
    for key, value in whole.items():
        place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in common:
            yield {"op": "add", "path": place, "value": value}
        elif not same_in_json(common[key], value):
            yield from _additions(common[key], value, place)
