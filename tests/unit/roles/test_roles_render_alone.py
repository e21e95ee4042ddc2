# SPDX-License-Identifier: GPL-3.0-or-later
"""Each part rendered as a role in a playbook of one's own, with `tasks_from: render`. There is no cluster."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from ansible_playbook import ansible_playbook
from required_variables import REQUIRED

PARTS = ["namespace", "secrets", "config", "rbac", "redis", "dispatcher", "job_policy", "monitoring", "extra", "quota"]
EXTRA = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more", "namespace": "agentsmith"}}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything that one play says at the highest verbosity, in which each role renders."""
    directory = tmp_path_factory.mktemp("alone")
    kinds = "{{ %s_render.objects | map(attribute='kind') | list | to_json }}"
    told = [{"ansible.builtin.debug": {"msg": f"KINDS {part} {kinds % part}"}} for part in PARTS]
    play = {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "vars": {**REQUIRED, "extra_objects": [EXTRA], "quota_hard": {"pods": "10"}},
        "tasks": [
            *(
                {"ansible.builtin.include_role": {"name": f"agentsmith.platform.{part}", "tasks_from": "render"}}
                for part in PARTS
            ),
            *told,
            {
                "ansible.builtin.debug": {
                    "msg": "KEYS {{ config_render.required_secrets | map(attribute='key') | list }}"
                }
            },
        ],
    }
    (directory / "play.yml").write_text(yaml.safe_dump([play]))
    process = ansible_playbook("-i", "one,", directory / "play.yml", "-vvvv")
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + process.stderr


@pytest.fixture(scope="module")
def kinds(output: str) -> dict[str, Any]:
    """The kinds of the objects of each part."""
    return {part: json.loads(found) for part, found in re.findall(r"KINDS (\w+) (\[.*\])", output)}


def test_a_part_has_its_objects(kinds: dict[str, Any]) -> None:
    assert kinds.keys() == {*PARTS}
    assert kinds["namespace"] == ["Namespace", "NetworkPolicy"]
    assert kinds["secrets"] == ["Secret"]
    assert kinds["redis"] == ["ServiceAccount", "Deployment", "Service", "NetworkPolicy"]
    assert kinds["extra"] == ["ConfigMap"]
    assert kinds["quota"] == ["ResourceQuota", "LimitRange"]


def test_a_part_that_is_switched_off_has_none(kinds: dict[str, Any]) -> None:
    assert kinds["job_policy"] == []


def test_the_part_config_says_which_keys_the_secret_needs(output: str) -> None:
    assert re.search(r"KEYS \[.*anthropic-api-key.*\]", output)


def test_no_output_has_an_object(output: str) -> None:
    assert "MARKED" not in output
    assert "app.kubernetes.io/managed-by" not in output
