# SPDX-License-Identifier: GPL-3.0-or-later
"""docker/kind-node/compile: its result is there at once and whole, or not at all, and is made once."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

COMPILE = Path(__file__).parents[3] / "docker" / "kind-node" / "compile"
# Stands for Go: writes into the directory after -o, logs, and waits until a file lets it go on.
GO = """#!/bin/bash
[ "$1" = list ] && { echo v1.36.3; exit; }
while [ "$1" != -o ]; do shift; done
echo built >> "$LOG"
echo half > "$2/server"
until [ -e "$GATE" ]; do :; done
[ "$(cat "$GATE")" = fail ] && exit 1
echo whole > "$2/server"
"""


class Machine:
    """Where compile runs: its target, the fake Go, and the gate at which that waits."""

    def __init__(self, root: Path) -> None:
        self.target = root / "cache" / "bin"
        self.gate = root / "gate"
        self.log = root / "log"
        self.log.touch()
        self.go = root / "go"
        self.go.write_text(GO)
        self.go.chmod(0o755)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "GO": str(self.go), "LOG": str(self.log), "GATE": str(self.gate)}
        process = subprocess.Popen([COMPILE, self.target], env=environment, start_new_session=True)
        self.started.append(process)
        return process

    def builds(self) -> int:
        return len(self.log.read_text().splitlines())

    def wait_for_build(self, count: int) -> None:
        while self.builds() < count:
            assert all(process.poll() is None for process in self.started[-1:])


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_result_appears_whole_and_etcd_has_its_name(machine: Machine) -> None:
    process = machine.start()
    machine.wait_for_build(1)
    assert not machine.target.exists()
    machine.gate.write_text("go on")
    assert process.wait(timeout=30) == 0
    assert (machine.target / "etcd").read_text() == "whole\n"
    assert not (machine.target / "server").exists()


def test_two_runs_at_once_compile_once(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    machine.wait_for_build(1)
    machine.gate.write_text("go on")
    assert first.wait(timeout=30) == second.wait(timeout=30) == 0
    assert machine.builds() == 1


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
    assert (machine.target / "etcd").read_text() == "whole\n"
    assert sorted(path.name for path in machine.target.parent.iterdir()) == ["bin", "bin.lock"]
