# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests of each environment, the exceptions, and the table that closes a scan."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from findings import Finding, Skip, judge, load_exceptions, load_skips

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
ENVIRONMENTS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "environments.yml").read_text(encoding="utf-8"))
TABLE = pytest.StashKey[list[tuple[str, ...]]]()


def run(program: str, *arguments: str) -> None:
    """Run a program of the project's environment in the checkout; what it printed is the error if it fails."""
    finished = subprocess.run(
        [CHECKOUT / ".venv/bin" / program, *arguments],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.fixture(scope="session")
def exceptions() -> dict[Finding, str]:
    """The findings that may be."""
    return load_exceptions(HERE / "exceptions.yml")


@pytest.fixture(scope="session")
def skips() -> dict[Skip, str]:
    """What scanners leave out."""
    return load_skips(HERE / "exceptions.yml")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Render an environment once: a directory for each of its targets."""
    directories: dict[str, Path] = {}

    def render(environment: str) -> Path:
        if environment not in directories:
            directory = tmp_path_factory.mktemp(environment)
            settings = ENVIRONMENTS[environment]
            if "prepare" in settings:
                run("python", *settings["prepare"])
            render_dir = str(directory / "{{ inventory_hostname }}")
            run("ansible-playbook", "playbooks/render.yml", *settings["arguments"], "-e", f"render_dir={render_dir}")
            directories[environment] = directory
        return directories[environment]

    return render


@pytest.fixture
def verdict(exceptions, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare what a scanner found with the exceptions, and add a line to the table."""

    def compare(scanner: str, scope: str, found: Iterable[Finding], checked: str) -> None:
        found = set(found)
        unexpected, stale = judge(found, exceptions, scanner, scope)
        request.config.stash.setdefault(TABLE, []).append(
            (scanner, scope, checked, str(len(found) - len(unexpected)), str(len(unexpected)), str(len(stale)))
        )
        lines = [f"{finding.check} of {finding.object} is not in tests/scan/exceptions.yml" for finding in unexpected]
        lines += [
            f"{finding.check} of {finding.object} is not needed in tests/scan/exceptions.yml" for finding in stale
        ]
        if lines:
            pytest.fail("\n".join(lines), pytrace=False)

    return compare


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    rows = [("scanner", "scope", "checked", "excepted", "found", "stale"), *config.stash.get(TABLE, [])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminalreporter.section("scan")
    for row in rows:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
