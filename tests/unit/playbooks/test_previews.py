# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook says itself is about what would be done in a preview, and about what was done otherwise."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
import yaml

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


def said_of_jobs(check_mode: bool, rolled: list[str]) -> str:
    """Return what rotate_secrets.yml says of pods and Jobs."""
    (play,) = yaml.safe_load((PLAYBOOKS / "rotate_secrets.yml").read_text())
    (task,) = [task for task in play["tasks"] if task["name"] == "Show what happened to the keys"]
    values = {"ansible_check_mode": check_mode, "rotate_secrets_result": {"rolled": rolled}}
    text = "\n".join(task["vars"]["__rotate_secrets_jobs"])
    return jinja2.Environment(autoescape=True).from_string(text).render(values)


@pytest.mark.parametrize(
    ("check_mode", "rolled", "said"),
    [
        (False, ["agentsmith-dispatcher"], "Slack shows nothing more of the Jobs"),
        (True, ["agentsmith-dispatcher"], "Slack would show nothing more of the Jobs"),
        (False, [], "No pod was restarted."),
        (True, [], "No pod would be restarted."),
    ],
)
def test_a_rotation(check_mode: bool, rolled: list[str], said: str) -> None:
    assert said in said_of_jobs(check_mode, rolled)
