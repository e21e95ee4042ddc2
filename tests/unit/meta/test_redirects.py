# SPDX-License-Identifier: GPL-3.0-or-later
"""A task with a name that a module once had does what the module does now, and says what it is called today."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook

CHECKOUT = Path(__file__).resolve().parents[3]
ROUTING = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text())["plugin_routing"]
COLLECTION = "agentsmith.platform."


def test_documentation_and_action_move_together() -> None:
    """Ansible asks for both; with one alone, the task has no action."""
    moved = {kind: {old: entry["redirect"] for old, entry in ROUTING[kind].items()} for kind in ("modules", "action")}
    assert moved["modules"] == moved["action"]
    for kind in ("modules", "action"):
        for old, new in moved[kind].items():
            assert (CHECKOUT / f"plugins/{kind}/{new.removeprefix(COLLECTION)}.py").exists()
            assert not (CHECKOUT / f"plugins/{kind}/{old}.py").exists()


@pytest.mark.parametrize("old", sorted(ROUTING["modules"]))
def test_a_task_with_the_old_name_runs_with_the_defaults_of_the_group(old: str, tmp_path: Path) -> None:
    task = {"name": "Ask", f"{COLLECTION}{old}": {"namespace": "agentsmith"}}
    if old == "release_drift":
        task[f"{COLLECTION}{old}"]["objects"] = []
    play = {
        "name": "Old names",
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {f"group/{COLLECTION}cluster": {"kubeconfig": f"{tmp_path}/of-the-group"}},
        "tasks": [task],
    }
    (tmp_path / "playbook.yml").write_text(yaml.safe_dump([play]))
    ended = ansible_playbook("--inventory=localhost,", tmp_path / "playbook.yml")
    said = " ".join((ended.stdout + ended.stderr).split())
    assert f"{tmp_path}/of-the-group does not exist" in said
    assert f"Use {ROUTING['modules'][old]['redirect']}." in said
