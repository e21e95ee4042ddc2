# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a play on localhost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_playbook import ansible_playbook


@dataclass
class Play:
    """What a play said: the results by the name of their task, and everything in clear."""

    results: dict[str, dict[str, Any]]
    output: str


@pytest.fixture(scope="session")
def play() -> Callable[..., Play]:
    """Run the tasks of a play whose files are beside `directory`/play.yml. Tasks may fail."""

    def run(
        directory: Path, tasks: list[dict[str, Any]], *options: str, variables: dict[str, Any] | None = None
    ) -> Play:
        content = {"hosts": "localhost", "gather_facts": False, "ignore_errors": True, "tasks": tasks}
        (directory / "play.yml").write_text(yaml.safe_dump([content]))
        (directory / "variables.yml").write_text(yaml.safe_dump(variables or {}))
        process = ansible_playbook(
            directory / "play.yml", "-e", f"@{directory}/variables.yml", *options, ANSIBLE_CALLBACK_RESULT_FORMAT="json"
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return Play(_results(process.stdout), process.stdout + process.stderr)

    return run


def _results(output: str) -> dict[str, dict[str, Any]]:
    results = {}
    for part in output.split("\nTASK [")[1:]:
        name, _bracket, rest = part.partition("]")
        start = rest.find("=> {")
        results[name] = json.JSONDecoder().raw_decode(rest, start + 3)[0] if start >= 0 else {}
    return results
