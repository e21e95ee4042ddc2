# SPDX-License-Identifier: GPL-3.0-or-later
"""long_command runs a command, shows that it moves, and quotes its end where it fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ansible_collections.agentsmith.dev.plugins.action import long_command


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that the user sees; one of progress every 50 ms."""
    lines: list[str] = []
    monkeypatch.setattr(long_command, "display", SimpleNamespace(display=lines.append))
    monkeypatch.setattr(long_command, "INTERVAL", 0.05)
    return lines


def run(*, check_mode: bool = False, no_log: bool = False, **arguments: object) -> dict:
    task = MagicMock(args=arguments, check_mode=check_mode, no_log=no_log, async_val=0, collections=[])
    task.name = "Build it"
    return long_command.ActionModule(task, MagicMock(), MagicMock(), None, None, MagicMock()).run(task_vars={})


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def test_progress_names_the_task_and_the_last_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The command goes on only after a line of progress was shown.
    class Shown(list):
        def append(self, line: str) -> None:
            super().append(line)
            (tmp_path / "go-on").touch()

    progress = Shown()
    monkeypatch.setattr(long_command.display, "display", progress.append)
    script = f"echo compiling; while [ ! -e {tmp_path}/go-on ]; do :; done; echo linked"
    result = run(argv=shell(script))
    assert progress[0].startswith("Build it: ")
    assert progress[0].endswith(" s: compiling")
    assert progress[-1].startswith("Build it: took ")
    assert (result["changed"], result["rc"], result["output"]) == (True, 0, ["compiling", "linked"])


def test_a_failure_quotes_the_last_30_lines_of_both_streams(shown: list[str]) -> None:
    result = run(argv=shell("i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; done; echo the reason >&2; exit 3"))
    assert result["failed"]
    assert result["rc"] == 3
    assert "Build it: exit status 3 after" in result["msg"]
    quoted = result["msg"].splitlines()[1:]
    assert len(quoted) == 30
    assert (quoted[0], quoted[-2], quoted[-1]) == ("line 12", "line 40", "the reason")
    assert not any("took" in line for line in shown)


def test_input_directory_and_environment_reach_the_command(tmp_path: Path) -> None:
    result = run(
        argv=shell('cat; pwd; echo "$LEVEL $HOME"'),
        stdin="first\nsecond\n",
        chdir=str(tmp_path),
        environment={"LEVEL": 7, "HOME": "/nowhere"},
    )
    assert result["output"] == ["first", "second", str(tmp_path), "7 /nowhere"]


def test_standard_input_is_empty_otherwise() -> None:
    assert run(argv=shell("cat; echo done"))["output"] == ["done"]


def test_a_command_that_ignores_its_input_is_no_failure() -> None:
    assert run(argv=["/bin/true"], stdin="x" * 1_000_000)["rc"] == 0


def test_nothing_runs_where_the_result_exists(tmp_path: Path) -> None:
    result = run(argv=shell(f"touch {tmp_path}/ran"), creates=str(tmp_path))
    assert not result["changed"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("creates", "changed"), [("missing", True), (None, False)])
def test_check_mode_runs_nothing(tmp_path: Path, creates: str | None, changed: bool) -> None:
    arguments = {"creates": str(tmp_path / creates)} if creates else {}
    result = run(check_mode=True, argv=shell(f"touch {tmp_path}/ran"), **arguments)
    assert (result["changed"], result["skipped"]) == (changed, not changed)
    assert not (tmp_path / "ran").exists()


def test_no_log_shows_and_returns_no_output(shown: list[str]) -> None:
    succeeded = run(argv=shell("echo marked-value"), no_log=True)
    failed = run(argv=shell("echo marked-value; exit 1"), no_log=True)
    assert "marked-value" not in f"{shown}{succeeded}{failed}"


def test_a_command_that_is_not_there_is_named() -> None:
    result = run(argv=["/nowhere/compile"])
    assert result["failed"]
    assert "/nowhere/compile cannot be started" in result["msg"]


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (4.23, "4.2 s"), (43.4, "43 s"), (243, "4 min 3 s")])
def test_durations_are_written_as_people_do(seconds: float, text: str) -> None:
    assert long_command.duration(seconds) == text
