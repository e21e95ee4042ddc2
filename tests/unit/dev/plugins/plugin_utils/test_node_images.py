# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what is missing is built, and only what the node lacks is loaded."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine, node_images
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.dev.plugins.plugin_utils.kind_node import Node

NODE = Node("podman", "demo-control-plane", True, "image", {})
REDIS, STAND_IN = "localhost/redis:aaaaaaaaaaaa", "localhost/stand-in:bbbbbbbbbbbb"
AGENT = "localhost/agent:dddddddddddd"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Return a function that says which images the node and the engine have."""

    def has(*, loaded: set[str], built: set[str]) -> None:
        monkeypatch.setattr(node_images, "loaded_images", lambda _node: loaded)
        monkeypatch.setattr(node_images, "images", lambda _engine, _environment: built)

    return has


@pytest.mark.parametrize(
    ("loaded", "built", "build", "load"),
    [
        (set(), set(), [REDIS, STAND_IN], [REDIS, STAND_IN]),
        (set(), {REDIS}, [STAND_IN], [REDIS, STAND_IN]),
        ({REDIS}, {REDIS}, [STAND_IN], [STAND_IN]),
        ({REDIS, STAND_IN}, set(), [], []),
        ({"localhost/redis:cccccccccccc"}, {"localhost/redis:cccccccccccc"}, [REDIS, STAND_IN], [REDIS, STAND_IN]),
    ],
    ids=["nothing there", "new cluster", "one is new", "engine was cleaned", "content changed"],
)
def test_missing_images(machine, loaded: set[str], built: set[str], build: list[str], load: list[str]) -> None:
    machine(loaded=loaded, built=built)
    assert node_images.missing_images(NODE, {REDIS: [], STAND_IN: []}, {}) == (build, load)


@pytest.mark.parametrize(
    ("loaded", "built", "build", "load"),
    [
        ({STAND_IN}, set(), [STAND_IN, AGENT], [AGENT]),
        ({STAND_IN}, {STAND_IN}, [AGENT], [AGENT]),
        ({STAND_IN, AGENT}, set(), [], []),
        (set(), {STAND_IN, AGENT}, [], [STAND_IN, AGENT]),
    ],
    ids=["engine was cleaned", "configuration changed", "all there", "new cluster"],
)
def test_what_another_image_is_built_from_is_built_first(
    machine, loaded: set[str], built: set[str], build: list[str], load: list[str]
) -> None:
    machine(loaded=loaded, built=built)
    assert node_images.missing_images(NODE, {STAND_IN: [], AGENT: [STAND_IN]}, {}) == (build, load)


def test_a_node_that_does_not_answer_is_an_error_that_says_what_heals_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalClusterError, match=r"demo-control-plane.*playbooks/local_cluster\.yml"):
        node_images.loaded_images(NODE)


TWO = Node("podman", "demo-control-plane", True, "image", {}, ("demo-worker",))
ALIAS = "localhost/agent:dev"


def test_an_image_counts_as_loaded_only_if_every_node_has_it(fake) -> None:
    fake("podman", f'case "$2" in demo-worker) echo {REDIS} ;; *) echo {REDIS}; echo {STAND_IN} ;; esac')
    assert node_images.loaded_images(TWO) == {REDIS}


def test_an_alias_is_compared_in_every_node(fake) -> None:
    rows = f"REF TYPE DIGEST SIZE\\n{AGENT} t sha256:2 9\\n{ALIAS} t sha256:"
    fake("podman", f'case "$2" in demo-worker) printf "{rows}1 9" ;; *) printf "{rows}2 9" ;; esac')
    assert node_images.stale_aliases(TWO, {ALIAS: AGENT}) == [{"node": "demo-worker", "alias": ALIAS, "image": AGENT}]


@pytest.mark.parametrize(
    ("built", "answers", "source"),
    [({"localhost/base:1"}, True, "present"), (set(), True, "pull"), (set(), False, "build")],
)
def test_base_source(machine, monkeypatch: pytest.MonkeyPatch, built: set[str], answers: bool, source: str) -> None:
    machine(loaded=set(), built=built)
    monkeypatch.setattr(node_images, "answers", lambda _image: answers)
    assert node_images.base_source("podman", "localhost/base:1", "docker.io/library/debian:bookworm", {}) == source


def test_the_images_of_an_engine_that_is_not_installed_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert container_engine.images("podman") == set()
