# SPDX-License-Identifier: GPL-3.0-or-later
"""What of several targets is common and what is not: put together again, each target has exactly its own objects."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.manifest_files import FilesError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.overlay_files import overlay_texts
from hypothesis import example, given
from hypothesis import strategies as st


def manifest(name: str, content: Any, namespace: str = "a", kind: str = "ConfigMap") -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": content}
    return copy.deepcopy(body)


def read(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def put_together(texts: dict[str, str], target: str) -> list[dict[str, Any]]:
    """The objects of an overlay, as kustomize makes them."""
    directory = f"overlays/{target}"
    overlay = read(texts[f"{directory}/Kustomization"])
    base = read(texts["base/Kustomization"])
    assert overlay["resources"][0] == "../../base"
    objects = [read(texts[f"base/{path}"]) for path in base["resources"]]
    objects += [read(texts[f"{directory}/{path}"]) for path in overlay["resources"][1:]]
    for patch in overlay.get("patches", []):
        wanted = patch["target"]
        (found,) = [o for o in objects if (o["kind"], o["metadata"]["name"]) == (wanted["kind"], wanted["name"])]
        for operation in read(texts[f"{directory}/{patch['path']}"]):
            assert operation["op"] == "add"
            *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
            place: Any = found
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
            assert last not in place
            place[last] = operation["value"]
    return objects


def as_set(objects: list[dict[str, Any]]) -> set[str]:
    return {json.dumps(entry, sort_keys=True) for entry in objects}


SCALARS = st.one_of(st.integers(0, 2), st.sampled_from(["a", "b", "a/b~c"]), st.booleans(), st.none())
KEYS = st.sampled_from(["name", "image", "env", "a/b", "a~b"])
CONTENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
RELEASES = st.lists(st.dictionaries(st.sampled_from("xyz"), CONTENTS, max_size=3), min_size=1, max_size=3)


@given(RELEASES)
@example([{"z": {"image": 1}}, {"z": {"image": True}}])  # what Python takes for equal, and JSON does not
@example([{"z": {"env": [{"name": "a", "image": False}]}}, {"z": {"env": [{"name": "a", "image": 0}]}}])
def test_each_target_has_exactly_its_objects(releases: list[dict[str, Any]]) -> None:
    targets = {
        f"t{number}": [manifest(name, content, f"ns{number}") for name, content in release.items()]
        for number, release in enumerate(releases)
    }
    texts = overlay_texts(targets)
    for name, objects in targets.items():
        assert as_set(put_together(texts, name)) == as_set(objects)


def test_the_base_has_nothing_of_one_target_alone() -> None:
    containers = [[{"name": "d", "image": f"registry-{region}/d", "args": ["x"]}] for region in ("eu", "us")]
    eu, us = (
        [manifest("d", {"containers": c, "replicas": 2}, f"agentsmith-{region}"), manifest("own", {}, kind=region)]
        for region, c in zip(("eu", "us"), containers, strict=True)
    )
    texts = overlay_texts({"eu": eu, "us": us})
    base = "".join(text for path, text in texts.items() if path.startswith("base/"))
    assert "replicas: 2" in base and "args" in base
    assert not [
        word for word in ("registry-eu", "registry-us", "agentsmith-eu", "agentsmith-us", "own") if word in base
    ]
    assert "overlays/eu/eu-own.yaml" in texts and "overlays/eu/us-own.yaml" not in texts


def test_a_secret_is_in_no_kustomization_and_has_no_value() -> None:
    secret = {**manifest("s", {}, kind="Secret"), "data": {"token": "MARKED"}}
    texts = overlay_texts({"eu": [secret], "us": [secret]})
    assert "MARKED" not in "".join(texts.values())
    assert {path for path in texts if "secret" in path} == {f"overlays/{t}/secrets/secret-s.yaml" for t in ("eu", "us")}
    assert not [path for path, text in texts.items() if path.endswith("Kustomization") and "secret" in text]


def test_what_the_flat_layout_refuses_is_refused() -> None:
    with pytest.raises(FilesError, match="Two objects would be written"):
        overlay_texts({"eu": [manifest("x", 1), manifest("x", 2)]})
