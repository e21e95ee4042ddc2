# SPDX-License-Identifier: GPL-3.0-or-later
"""What debug shows of a table and of data, under each of Ansible's result formats."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[4]
TABLE = 'CHECK   RESULT\n  redis   ok  "7.2"\n\nAll is well.'
PLAY = {
    "hosts": "localhost",
    "gather_facts": False,
    "vars": {"table": TABLE, "data": {"b": [1], "a": "é"}},
    "tasks": [
        {"ansible.builtin.debug": {"msg": "{{ table | agentsmith.platform.debug_text }}"}},
        {"ansible.builtin.debug": {"msg": "{{ data | agentsmith.platform.debug_text }}"}},
    ],
}


def shown(directory: Path, **variables: str) -> str:
    (directory / "play.yml").write_text(yaml.safe_dump([PLAY]))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections")}
    ended = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", directory / "play.yml"],
        cwd=directory,
        env={**inherited, **collections, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("callback", ["default", "minimal"])
def test_lines_of_a_table_stand_below_each_other_by_default(tmp_path: Path, callback: str) -> None:
    output = shown(tmp_path, ANSIBLE_STDOUT_CALLBACK=callback)
    assert r"\n" not in output
    lines = [line.strip().strip(",") for line in output.splitlines()]
    start = lines.index('"CHECK   RESULT"')
    assert lines[start + 1 : start + 4] == [r'"  redis   ok  \"7.2\""', '""', '"All is well."']
    assert '"a": "é"' in lines


def test_yaml_shows_the_text_as_it_is(tmp_path: Path) -> None:
    output = shown(tmp_path, ANSIBLE_CALLBACK_RESULT_FORMAT="yaml")
    block = "\n".join(f"        {line}".rstrip() for line in TABLE.splitlines())
    assert f"msg: |-\n{block}\n" in output
    assert '    "a": "é",\n' in output
