# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a report: the results of the hosts that have one, readable for its owner alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECK = {"check": "redis_ping", "result": "ok", "evidence": "PONG", "hint": ""}
VERIFIED = {"checks": [CHECK], "failed_checks": [], "not_checked": [], "table": "CHECK"}


def write(name: str, path: Path, **options: Any) -> dict[str, Any]:
    known = {"path": str(path), "registered": "verify_result", "report": "verify"}
    return {"name": name, "agentsmith.platform.write_report": {**known, **options}, **options.pop("task", {})}


def test_the_file(play: Callable[..., Any], tmp_path: Path) -> None:
    json_file, junit_file = tmp_path / "verify.json", tmp_path / "verify.xml"
    json_file.write_text("older")
    json_file.chmod(0o644)
    tasks = [
        write("json", json_file),
        write("junit", junit_file, format="junit"),
        write("not run yet", tmp_path / "empty.json", registered="nothing"),
        write("no directory", tmp_path / "missing/file.json"),
        write("no checks", tmp_path / "status.xml", report="status", format="junit"),
    ]
    played = play(tmp_path, tasks, "--check", "--diff", variables={"verify_result": VERIFIED})
    assert json.loads(json_file.read_text()) == {
        "localhost": {"checks": [CHECK], "failed_checks": [], "not_checked": []}
    }
    assert json_file.stat().st_mode & 0o777 == 0o600
    assert '<testcase classname="localhost" name="redis_ping" />' in junit_file.read_text()
    assert json.loads((tmp_path / "empty.json").read_text()) == {}
    assert "changed: [localhost]" not in played.output
    assert f"path cannot be written: No such file or directory: {tmp_path}/missing/file.json." in played.output
    assert "format is junit, and report is status. Only verify has checks." in played.output
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "empty.json",
        "play.yml",
        "variables.yml",
        "verify.json",
        "verify.xml",
    ]
