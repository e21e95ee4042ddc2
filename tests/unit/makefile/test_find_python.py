# SPDX-License-Identifier: GPL-3.0-or-later
"""The Makefile makes the environment with the newest Python that really runs, not with the newest name on PATH."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def find(tmp_path: Path):
    """Run the Makefile's search with these programs: {path: whether it runs}."""

    def run(programs: dict[str, bool]) -> subprocess.CompletedProcess[str]:
        for name, runs in programs.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\nexit {0 if runs else 1}\n")
            path.chmod(0o755)
        return subprocess.run(
            [
                "make",
                "--silent",
                f"--directory={REPOSITORY}",
                "--eval=find-python: ; @$(find_python)",
                "find-python",
                f"PATH={tmp_path}/bin",
                f"PYENV_ROOT={tmp_path}/pyenv",
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_newest_that_runs_is_taken(find, tmp_path: Path) -> None:
    """A shim of pyenv for a version that is not selected fails; the version itself lies where pyenv keeps it."""
    found = find(
        {
            "bin/python3.14": False,
            "bin/python3.13": False,
            "pyenv/versions/3.13.0/bin/python3": True,
            "bin/python3.11": True,
        }
    )
    assert found.stdout.strip() == f"{tmp_path}/pyenv/versions/3.13.0/bin/python3", found.stderr


def test_without_one_that_runs_it_says_what_to_install(find) -> None:
    found = find({"bin/python3.12": False, "bin/python3.10": True})
    assert found.returncode != 0
    assert "No Python from 3.11 to 3.14 runs here" in found.stderr
