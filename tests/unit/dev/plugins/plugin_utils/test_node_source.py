# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there goes first, then the registry, then building."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils.node_source import choose_source

REGISTRY = "docker.io/kindest/node:v1.37.0@sha256:a1ed"
BUILT = "localhost/agentsmith-kind-node:3f786850e387"


@pytest.mark.parametrize(
    ("case", "source"),
    [
        ({"answers": True}, "registry"),
        ({"answers": False}, "build"),
        ({"answers": True, "present": {BUILT}}, "build"),
        ({"answers": True, "present": {"localhost/agentsmith-kind-node:000000000000"}}, "registry"),
        ({"answers": False, "present": {"docker.io/kindest/node@sha256:a1ed"}}, "registry"),
        ({"answers": False, "present": {"kindest/node@sha256:a1ed", BUILT}}, "registry"),
        ({"answers": False, "present": {"kindest/node:v1.37.0", "kindest/node@sha256:bb"}}, "build"),
        ({"answers": True, "node": "localhost/agentsmith-kind-node:000000000000"}, "build"),
        ({"answers": False, "node": "kindest/node:v1.31.0@sha256:bb"}, "registry"),
        ({"answers": True, "preference": "build"}, "build"),
        ({"answers": False, "preference": "registry", "present": {BUILT}}, "registry"),
    ],
    ids=[
        "a registry answers",
        "no registry answers",
        "built before",
        "built from other sources before",
        "pulled by digest before",
        "pulled and built before",
        "another one was pulled before",
        "a node that was built runs",
        "a node from a registry runs",
        "build is asked for",
        "registry is asked for",
    ],
)
def test_choice(case: dict, source: str) -> None:
    chosen = choose_source(
        case.get("preference", "auto"),
        present=case.get("present", set()),
        node=case.get("node", ""),
        registry_image=REGISTRY,
        built_image=BUILT,
        registry_answers=lambda: case["answers"],
    )
    assert chosen == source


@pytest.mark.parametrize("known", [{"present": {BUILT}}, {"node": BUILT}, {"preference": "build"}])
def test_the_registry_is_not_asked_where_the_choice_is_made(known: dict) -> None:
    def asked() -> bool:
        raise AssertionError("a request that takes seconds where there is no network")

    given = {"preference": "auto", "present": set(), "node": "", **known}
    preference = given.pop("preference")
    assert (
        choose_source(preference, registry_image=REGISTRY, built_image=BUILT, registry_answers=asked, **given)
        == "build"
    )
