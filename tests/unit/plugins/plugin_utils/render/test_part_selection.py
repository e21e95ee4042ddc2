# SPDX-License-Identifier: GPL-3.0-or-later
"""A part is left in or out as Ansible would a task with the part's name as its tag."""

from __future__ import annotations

import pytest
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.part_selection import is_selected

CASES = [
    (["all"], []),
    (["all"], ["redis"]),
    (["all"], ["quota"]),
    (["all"], ["all"]),
    (["redis"], []),
    (["quota"], []),
    (["quota", "redis"], []),
    (["redis"], ["redis"]),
    (["tagged"], []),
    (["untagged"], []),
    (["tagged"], ["redis"]),
    (["all"], ["tagged"]),
    (["all"], ["untagged"]),
    (["site"], []),
    (["all"], ["site"]),
]


@pytest.mark.parametrize(("run_tags", "skip_tags"), CASES)
def test_as_ansible_does(run_tags: list[str], skip_tags: list[str]) -> None:
    block = Block(play=Play.load({"hosts": "all"}))
    task = Task.load({"debug": {"msg": ""}, "tags": ["redis"]}, block=block)
    expected = task.evaluate_tags(run_tags, skip_tags, {})
    assert is_selected("redis", ["always"], run_tags, skip_tags) is expected


def test_a_tag_of_the_task_itself_counts_for_every_part() -> None:
    assert is_selected("redis", ["always", "site"], ["site"], [])
    assert not is_selected("redis", ["always", "site"], ["all"], ["site"])
