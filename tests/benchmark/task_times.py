# SPDX-License-Identifier: GPL-3.0-or-later
"""What each task of a deploy takes, as Ansible's callback ansible.posix.json writes it down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

CALLBACK = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
BEFORE, BETWEEN = "before the first task", "between the tasks, and after the last"


def seconds_of_tasks(output: str, started: float, wall: float) -> dict[str, float]:
    """Return the seconds of each task by its name, with what passes outside of them; together they are *wall*.

    :param output: all that the run printed, in which the callback's JSON is one part.
    :param started: when it started, in seconds since 1970.
    """
    tasks = list(_tasks(json.loads(output[output.index("{\n") : output.rindex("\n}") + 2])))
    found = {BEFORE: _moment(tasks[0], "start") - started}
    for task in tasks:
        name = task["name"]
        found[name] = found.get(name, 0.0) + _moment(task, "end") - _moment(task, "start")
    return {**found, BETWEEN: wall - sum(found.values())}


def _tasks(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the tasks that ran to their end."""
    for play in document["plays"]:
        yield from (entry["task"] for entry in play["tasks"] if "end" in entry["task"]["duration"])


def _moment(task: Mapping[str, Any], which: str) -> float:
    return datetime.fromisoformat(task["duration"][which]).timestamp()
