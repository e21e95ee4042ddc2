# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a playbook loads and compiles, in all its processes: the second one compiles nothing of ours.

The numbers are exact.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from load_report import OF_THE_CACHE, LoadReport
from required_variables import REQUIRED

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Two targets, one of them with a template of its own that holds a secret."""
    path = tmp_path / "hosts.yml"
    public = {"agentsmith_public_url": "https://{{ 'MARKED' }}.example.com", "dispatcher_network_policy_from": []}
    hosts = {"one": {}, "two": public}
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": REQUIRED}}))
    return path


class Runs:
    """Runs of playbooks/render.yml with one cache."""

    def __init__(self, inventory: Path, cache: Path) -> None:
        self.cache = cache
        self._inventory = inventory
        self._report = LoadReport(inventory.parent, cache)

    def start(self, number: int = 0) -> subprocess.Popen[str]:
        directory = self._inventory.with_name(f"rendered-{number}")
        playbook = [REPOSITORY / "playbooks/render.yml", "-i", self._inventory]
        return subprocess.Popen(
            ["ansible-playbook", *playbook, "-e", f"render_dir={directory}/{{{{ inventory_hostname }}}}"],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                **self._report.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> Counter[str]:
        """Return what one run did, by kind."""
        self._report.forget()
        process = self.start()
        said = process.communicate()[0]
        assert process.returncode == 0, said
        return self._report.counts()

    def kept(self) -> dict[str, tuple[int, int]]:
        """Return the files of the cache; one that is written anew is another."""
        files = [path for path in self.cache.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def runs(inventory: Path, tmp_path: Path) -> Runs:
    """Runs with a cache that is yet to be made."""
    return Runs(inventory, tmp_path / "cache")


def test_the_second_run_compiles_nothing_and_nothing_of_an_inventory_is_kept(runs: Runs) -> None:
    first = runs.run()
    assert first["compiled modules"] > 50
    kept = runs.kept()
    second = runs.run()
    assert runs.kept() == kept
    assert second == {"compiled modules": OF_THE_CACHE}
    assert second["imports of clients"] == 0
    content = b"".join(path.read_bytes() for path in runs.cache.rglob("*") if path.is_file())
    assert b"agentsmith_namespace" in content
    assert b"MARKED" not in content


def test_two_first_runs_at_the_same_time_work(runs: Runs) -> None:
    processes = [runs.start(number) for number in range(2)]
    for process in processes:
        said = process.communicate()[0]
        assert process.returncode == 0, said
    runs.run()  # keeps what the last of both had not seen
    kept = runs.kept()
    assert runs.run() == {"compiled modules": OF_THE_CACHE}
    assert runs.kept() == kept


def test_without_a_cache_everything_works(inventory: Path) -> None:
    runs = Runs(inventory, Path("/dev/null"))
    assert runs.run()["compiled modules"] > 50


def test_a_spoilt_cache_is_made_anew(runs: Runs) -> None:
    runs.run()
    for path in runs.cache.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert runs.run()["compiled modules"] > 50
    assert runs.run() == {"compiled modules": OF_THE_CACHE}
