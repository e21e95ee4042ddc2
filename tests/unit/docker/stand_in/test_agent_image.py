# SPDX-License-Identifier: GPL-3.0-or-later
"""The two scripts of the agent image that stands in for upstream's: its entry point, and the program `dotnet`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[4] / "docker" / "stand-in-agent"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory with programs that write down how they are called."""
    for name in ("python3", "gosu"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$#"\nprintf \'%s\\n\' "$@"\n')
        program.chmod(0o755)
    return tmp_path


def run(path: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{path}:/usr/bin:/bin"}
    return subprocess.run(
        [SCRIPTS / script, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def test_the_entry_point_starts_the_agent_as_another_user(path: Path) -> None:
    result = run(path, "docker-entrypoint.sh", "run", "fix #54 in p")
    expected = ["gosu 5", "agentsmith", "dotnet", "AgentSmith.Host.dll", "run", "fix #54 in p"]
    assert result.stdout.splitlines() == expected


def test_an_entry_point_that_may_not_switch_users_ends(path: Path) -> None:
    (path / "gosu").write_text("#!/bin/sh\necho 'error: failed switching' >&2\nexit 1\n")
    result = run(path, "docker-entrypoint.sh", "run")
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "error: failed switching\n")


@pytest.mark.parametrize(
    ("arguments", "passed_on"),
    [
        (["run", "--headless", "fix #54 in p"], ["python3 5", "-m", "stand_in", "run", "--headless", "fix #54 in p"]),
        # Not nothing, with which the stand-in would be a Dispatcher.
        ([], ["python3 3", "-m", "stand_in", ""]),
    ],
)
def test_dotnet_starts_the_agent(path: Path, arguments: list[str], passed_on: list[str]) -> None:
    assert run(path, "dotnet", "AgentSmith.Host.dll", *arguments).stdout.splitlines() == passed_on


@pytest.mark.parametrize("arguments", [[], ["AgentSmith.Dispatcher.dll"], ["run"]])
def test_dotnet_starts_nothing_else(path: Path, arguments: list[str]) -> None:
    result = run(path, "dotnet", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert "it starts AgentSmith.Host.dll alone" in result.stderr
