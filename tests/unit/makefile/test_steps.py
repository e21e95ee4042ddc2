# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of `make test` and `make test-long` are there. Make finds out about a missing one when its turn comes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
MAKEFILE = (REPOSITORY / "Makefile").read_text()
CALLED = re.findall(r"\$\(MAKE\) --no-print-directory((?: [\w$()=-]+)+)$", MAKEFILE, re.MULTILINE)
NEEDED = re.findall(r"^test-long: (.+)$", MAKEFILE, re.MULTILINE)
STEPS = {word for line in [*CALLED, *NEEDED] for word in line.split() if re.fullmatch(r"[a-z][a-z-]+", word)}


def dry_run(target: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--dry-run", f"--directory={REPOSITORY}", target]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_step_is_a_target(step: str) -> None:
    ended = dry_run(step)
    assert ended.returncode == 0, ended.stderr


def test_a_missing_target_is_found() -> None:
    assert {"gates", "lint", "molecule-timed", "molecule-untimed", "unit"} <= STEPS
    assert "No rule to make target 'no-such-step'" in dry_run("no-such-step").stderr


@pytest.mark.parametrize("target", ["molecule", "molecule-timed", "molecule-untimed", "test-long"])
def test_no_scenario_with_a_cluster_of_its_own_runs_beside_those_that_share_one(target: str) -> None:
    files = {
        path.parent.name: yaml.safe_load(path.read_text()) or {} for path in REPOSITORY.glob("molecule/*/molecule.yml")
    }
    own = {name for name, content in files.items() if content.get("shared_state") is False}
    assert own and own < {*files}
    commands = [line for line in dry_run(target).stdout.splitlines() if "/molecule test " in line]
    assert commands
    for command in commands:
        excluded = {*re.findall(r"--exclude=(\w+)", command)}
        run = {*files} - excluded if " --all " in command else {*re.findall(r"--scenario-name=(\w+)", command)}
        assert run and (run <= own or run.isdisjoint(own)), command
