# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task of a playbook that waits takes the time from the inventory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
WAITING = {f"agentsmith.platform.{name}" for name in ("apply", "commit_release", "restore_release", "rotate_secret")}


def waiting_tasks(found: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments of the tasks that wait, at any depth of plays and blocks."""
    if isinstance(found, list):
        for item in found:
            yield from waiting_tasks(item)
    elif isinstance(found, dict):
        yield from (found[name] for name in found.keys() & WAITING)
        for key in found.keys() & {"tasks", "block", "rescue", "always"}:
            yield from waiting_tasks(found[key])


def test_every_wait_has_the_time_of_the_inventory() -> None:
    tasks = [
        task
        for path in sorted((CHECKOUT / "playbooks").rglob("*.yml"))
        for task in waiting_tasks(yaml.safe_load(path.read_text()))
    ]
    assert [task.get("wait_timeout") for task in tasks] == ["{{ release_wait_timeout }}"] * 5
