# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as a whole: every obstacle is found before anything is changed."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_registry
from ansible_collections.agentsmith.dev.plugins.plugin_utils.cluster_plan import Wish, make_plan
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError

BUILT = "localhost/agentsmith-kind-node:3f786850e387"
REGISTRY = "docker.io/kindest/node:v1.37.0@sha256:a1ed"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def wish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes a plan on a machine of scripts, as an ordinary user, with the wishes given."""
    (tmp_path / "go.mod").write_text("go 1.26.8\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-venv" / "python"))

    def make(*, registry_answers: bool = False, **changes: object) -> dict:
        monkeypatch.setattr(container_registry, "answers", lambda _image: registry_answers)
        wishes = {
            "engine": "auto",
            "source": "auto",
            "registry_image": REGISTRY,
            "built_image": BUILT,
            "node": "demo-control-plane",
            "node_image": "",
            "node_engine": "",
            "binaries_dir": str(tmp_path / "cache" / "bin"),
            "cache_dir": str(tmp_path / "cache"),
            "go_mod": str(tmp_path / "go.mod"),
            "kind_version": "v0.33.0",
            "free_space": 0,
            "host_address": "127.0.0.1",
            "host_ports": [free_port()],
        }
        return make_plan(Wish(**{**wishes, **changes}))

    return make


def podman(fake, images: str = "") -> None:
    fake("podman", f"[ \"$1\" = images ] && echo '{images}'; exit 0")


def test_with_a_registry_nothing_is_built(fake, wish) -> None:
    podman(fake)
    kind = fake("kind", "echo 'kind v0.33.0'")
    plan = wish(registry_answers=True)
    assert (plan["source"], plan["image"], plan["compile"], plan["build"]) == ("registry", REGISTRY, False, False)
    assert (plan["kind"], plan["kubectl"]) == (str(kind), ""), "what PATH lacks is downloaded"


def test_without_a_registry_everything_is_built(fake, wish, tmp_path: Path) -> None:
    podman(fake)
    fake("mmdebstrap", "exit 0")
    go = fake("go", "echo go1.26.8")
    plan = wish()
    assert (plan["source"], plan["image"], plan["compile"], plan["build"]) == ("build", BUILT, True, True)
    assert plan["go"] == str(go)
    assert plan["kubectl"] == str(tmp_path / "cache" / "bin" / "kubectl")


def test_nothing_is_needed_where_everything_was_built_before(fake, wish, tmp_path: Path) -> None:
    podman(fake, BUILT)
    (tmp_path / "cache" / "bin").mkdir(parents=True)
    plan = wish(registry_answers=True, free_space=10**6)
    assert (plan["source"], plan["compile"], plan["build"], plan["go"]) == ("build", False, False, "")


def test_for_a_node_that_runs_only_the_tools_are_wanted(fake, wish) -> None:
    podman(fake)
    fake("go", "echo go1.26.8")
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        plan = wish(node_image=BUILT, node_engine="podman", host_ports=[free_port(), port])
    assert (plan["compile"], plan["build"], plan["packages"]) == (True, False, [])


def test_a_taken_port_names_port_variable_and_owner(fake, wish) -> None:
    fake("ss", """echo 'LISTEN 0 5 *:1 *:* users:(("nginx",pid=4711,fd=3))'""")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalClusterError) as error:
            wish(host_ports=[free_port(), port])
    variables = "(local_cluster_host_port, local_cluster_extra_ports)"
    for part in (f"Port {port} of 127.0.0.1", variables, "by nginx (process 4711)", "free port"):
        assert part in str(error.value)


@pytest.mark.parametrize(("owner", "refused"), [("demo-control-plane", False), ("another-control-plane", True)])
def test_the_port_may_still_belong_to_the_dead_node_alone(fake, wish, owner: str, refused: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as conmon:
        port = conmon.getsockname()[1]
        fake("podman", f'[ "$1" = ps ] && echo "{owner} 127.0.0.1:{port}->30080/tcp"; exit 0')
        if refused:
            with pytest.raises(LocalClusterError, match=f"by the podman container {owner}"):
                wish(host_ports=[free_port(), port], registry_answers=True)
        else:
            assert wish(host_ports=[free_port(), port], registry_answers=True)["engine"] == "podman"


def test_no_way_to_a_base_image_is_an_error(fake, wish) -> None:
    podman(fake)
    fake("go", "echo go1.26.8")
    with pytest.raises(LocalClusterError, match=r"needs mmdebstrap.*run as root.*local_cluster_registry_image"):
        wish()


def test_mmdebstrap_is_installed_as_root(fake, wish, monkeypatch: pytest.MonkeyPatch) -> None:
    podman(fake)
    fake("go", "echo go1.26.8")
    fake("apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "mmdebstrap" in wish()["packages"]


def test_a_full_disk_stops_before_building(fake, wish) -> None:
    podman(fake)
    fake("mmdebstrap", "exit 0")
    fake("go", "echo go1.26.8")
    with pytest.raises(LocalClusterError, match="1000000 GiB of free disk space"):
        wish(free_space=10**6)
