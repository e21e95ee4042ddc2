# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts docker/*/compile: the result is there at once and whole, or not at all, and is made once."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCKER = Path(__file__).parents[3] / "docker"
# How many times each calls `go build`
SCRIPTS = {"kind-node": 1, "way-in": 3}
# Stands for Go: every module is $MODULE; writes into the directory after -o, logs, and waits for a file to go on.
GO = """#!/bin/bash
case " $* " in
  *" list "*) echo "$MODULE"; exit ;;
  *" mod download "*) printf '\\t"Dir": "%s",\\n' "$MODULE"; exit ;;
esac
while [ "$1" != -o ]; do shift; done
echo built >> "$LOG"
echo half > "$2/server"
until [ -e "$GATE" ]; do :; done
[ "$(cat "$GATE")" = fail ] && exit 1
echo whole > "$2/server"
"""


class Machine:
    """Where compile runs: its target, the fake Go, and the gate at which that waits."""

    def __init__(self, root: Path, image: str) -> None:
        self.script = DOCKER / image / "compile"
        self.builds_of_a_run = SCRIPTS[image]
        self.module = root / "v1.36.3"
        for definition in ("config/crd/standard/gateway.networking.k8s.io_gateways.yaml", "deploy/crds/issuers.yaml"):
            (self.module / definition).parent.mkdir(parents=True)
            (self.module / definition).write_text("kind: CustomResourceDefinition\n")
        self.target = root / "cache" / "bin"
        self.gate = root / "gate"
        self.log = root / "log"
        self.log.touch()
        self.go = root / "go"
        self.go.write_text(GO)
        self.go.chmod(0o755)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        files = {"GO": self.go, "LOG": self.log, "GATE": self.gate, "MODULE": self.module}
        environment = os.environ | {name: str(file) for name, file in files.items()}
        process = subprocess.Popen([self.script, self.target], env=environment, start_new_session=True)
        self.started.append(process)
        return process

    def result(self) -> str:
        (program,) = (path for path in self.target.iterdir() if path.name in {"etcd", "server"})
        return program.read_text()

    def builds(self) -> int:
        return len(self.log.read_text().splitlines())

    def wait_for_build(self, count: int) -> None:
        while self.builds() < count:
            assert all(process.poll() is None for process in self.started[-1:])


@pytest.fixture(params=SCRIPTS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, request.param)
    yield made
    for process in made.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_every_script_is_tested() -> None:
    assert {script.parent.name for script in DOCKER.glob("*/compile")} == set(SCRIPTS)


def test_the_result_appears_whole(machine: Machine) -> None:
    process = machine.start()
    machine.wait_for_build(1)
    assert not machine.target.exists()
    machine.gate.write_text("go on")
    assert process.wait(timeout=30) == 0
    assert machine.result() == "whole\n"
    # Go names etcd's binary "server"
    assert (machine.target / "etcd").exists() == (machine.script.parent.name == "kind-node")


def test_two_runs_at_once_compile_once(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    machine.wait_for_build(1)
    machine.gate.write_text("go on")
    assert first.wait(timeout=30) == second.wait(timeout=30) == 0
    assert machine.builds() == machine.builds_of_a_run


def test_a_failed_run_leaves_no_result(machine: Machine) -> None:
    machine.gate.write_text("fail")
    assert machine.start().wait(timeout=30) != 0
    assert not machine.target.exists()


def test_a_killed_run_is_not_taken_for_whole_and_blocks_nobody(machine: Machine) -> None:
    killed = machine.start()
    machine.wait_for_build(1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not machine.target.exists()
    machine.gate.write_text("go on")
    assert machine.start().wait(timeout=30) == 0
    assert machine.result() == "whole\n"
    assert sorted(path.name for path in machine.target.parent.iterdir()) == ["bin", "bin.lock"]
