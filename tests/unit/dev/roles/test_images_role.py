# SPDX-License-Identifier: GPL-3.0-or-later
"""The role as a whole, with podman and kind replaced by scripts that log what they are asked."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from ansible_playbook import ansible_playbook

REDIS, STAND_IN = "localhost/redis:aaaaaaaaaaaa", "localhost/stand-in:bbbbbbbbbbbb"
BASE = "localhost/base:cccccccccccc"
AGENT, ALIAS = "localhost/agent:dddddddddddd", "localhost/agent:dev"
CONTAINER = [{"State": {"Running": True}, "Config": {"Image": "image"}, "HostConfig": {"PortBindings": {}}}]

PODMAN = """
case "$1" in
  container) echo '{container}' ;;
  images) cat "$STATE/built" ;;
  build)
    echo "podman $*" >> "$STATE/log"
    for context; do :; done
    [ ! -e "$context/agentsmith.yml" ] || cat "$context/agentsmith.yml" >> "$STATE/log" ;;
  exec)
    case "$*" in
      *--quiet) cat "$STATE/loaded" ;;
      *" tag "*) echo "podman $*" >> "$STATE/log" ;;
      *) printf 'REF TYPE DIGEST SIZE\\n'; sed 's/$/ type sha256:1 9/' "$STATE/loaded" ;;
    esac ;;
  ps) ;;
  *) echo "podman $*" >> "$STATE/log" ;;
esac
"""
KIND = """
echo "kind $* on $KIND_EXPERIMENTAL_PROVIDER" >> "$STATE/log"
"""


@pytest.fixture
def run(tmp_path: Path):
    """Return a function that runs the role on a machine with the images given: (number of changes, commands)."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, body in (
        ("docker", "exit 1"),
        ("podman", PODMAN.format(container=json.dumps(CONTAINER))),
        ("kind", KIND),
    ):
        (commands / name).write_text(f"#!/bin/sh\n{body}")
        (commands / name).chmod(0o755)
    play = [{"hosts": "all", "gather_facts": False, "roles": ["agentsmith.dev.images"]}]
    (tmp_path / "playbook.yml").write_text(json.dumps(play))
    (tmp_path / "log").touch()

    def run_role(*others: dict[str, object], loaded: list[str], built: list[str]) -> tuple[int, list[str]]:
        (tmp_path / "loaded").write_text("\n".join(loaded))
        (tmp_path / "built").write_text("\n".join(built))
        given = {
            "images_build": [
                {"name": REDIS, "context": "docker/redis", "args": {"LEVEL": 3, "DEBUG": "yes"}},
                {"name": STAND_IN, "context": "docker/stand-in"},
                *others,
            ],
            "images_cluster_name": "demo",
            "images_kind": str(commands / "kind"),
            "images_cache_dir": str(tmp_path / "cache"),
            "images_base_image": BASE,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        playbook = ansible_playbook(
            "--inventory=demo,",
            f"--extra-vars={json.dumps(given)}",
            tmp_path / "playbook.yml",
            STATE=str(tmp_path),
            PATH=f"{commands}:/usr/bin:/bin",
        )
        assert playbook.returncode == 0, playbook.stdout + playbook.stderr
        return int(re.search(r"changed=(\d+)", playbook.stdout)[1]), (tmp_path / "log").read_text().splitlines()

    return run_role


def test_what_the_node_has_is_neither_built_nor_loaded(run) -> None:
    assert run(loaded=[REDIS, STAND_IN], built=[]) == (0, [])


def test_all_that_is_missing_is_built_and_loaded_in_one_archive(run) -> None:
    changed, commands = run(loaded=[], built=[BASE])
    assert changed > 0
    build_redis, build_stand_in, save, load = commands
    assert build_redis == (
        f"podman build --network host --build-arg BASE={BASE} --build-arg=DEBUG=yes --build-arg=LEVEL=3 "
        f"--tag {REDIS} docker/redis"
    )
    assert build_stand_in.endswith(f"--build-arg BASE={BASE} --tag {STAND_IN} docker/stand-in")
    archive = re.fullmatch(
        rf"podman save --format docker-archive --multi-image-archive --output (\S+) {REDIS} {STAND_IN}", save
    )[1]
    assert load == f"kind load image-archive {archive} --name=demo on podman"
    assert not Path(archive).parent.exists()


def test_a_new_cluster_gets_what_was_built_before(run) -> None:
    _changed, commands = run(loaded=[STAND_IN], built=[BASE, REDIS, STAND_IN])
    assert [command.split()[1] for command in commands] == ["save", "load"]
    assert commands[0].endswith(f" {REDIS}")


def test_an_image_of_texts_is_built_on_another_one_of_the_list(run) -> None:
    agent = {
        "name": AGENT,
        "context": "docker/agent-config",
        "args": {"AGENT": STAND_IN},
        "files": {"agentsmith.yml": "projects: {}\npipelines: {}\n"},
        "alias": ALIAS,
    }
    _changed, commands = run(agent, loaded=[REDIS, STAND_IN], built=[BASE])
    build_stand_in, build_agent, *text, _save, _load, alias = commands
    assert build_stand_in.endswith(f"--tag {STAND_IN} docker/stand-in")
    context = re.fullmatch(
        rf"podman build --network host --build-arg BASE={BASE} --build-arg=AGENT={STAND_IN} "
        rf"--file docker/agent-config/Dockerfile --tag {AGENT} (\S+)",
        build_agent,
    )[1]
    assert text == ["projects: {}", "pipelines: {}"]
    assert not Path(context).exists()
    assert alias.endswith(f"-control-plane ctr --namespace k8s.io images tag --force {AGENT} {ALIAS}")


def test_an_alias_that_leads_to_its_image_stays(run) -> None:
    image = {"name": AGENT, "context": "docker/agent-config", "alias": ALIAS}
    assert run(image, loaded=[REDIS, STAND_IN, AGENT, ALIAS], built=[]) == (0, [])


def test_a_build_removes_the_oldest_images_of_its_name(run) -> None:
    repository = REDIS.rpartition(":")[0]
    older = [f"{repository}:{number}" for number in range(7)]
    _changed, commands = run(loaded=[STAND_IN], built=[BASE, *older])
    assert [command for command in commands if " rmi " in command] == [f"podman rmi {old}" for old in older[5:]]
