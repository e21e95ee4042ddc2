# SPDX-License-Identifier: GPL-3.0-or-later
"""A play that renders the release, with the values of its Secrets, which render.yml leaves out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ansible_playbook import CHECKOUT, ansible_playbook

# The variable with which Ansible finds the action write_json
WITH_WRITE_JSON = {"ANSIBLE_ACTION_PLUGINS": str(CHECKOUT / "tests" / "action_plugins")}


def render_release(directory: Path, *options: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Render the release of every host of the inventory that the options name to `directory`/<host>.json.

    A host whose release cannot be rendered has no file. The variables are those of Ansible's environment.
    """
    tasks = [
        {"import_tasks": str(CHECKOUT / "playbooks/tasks/render_release.yml")},
        {
            "write_json": {
                "content": "{{ release_objects }}",
                "dest": f"{directory}/{{{{ inventory_hostname }}}}.json",
            },
            "no_log": True,
            "tags": ["always"],
        },
    ]
    files = [str(CHECKOUT / "playbooks/vars/release.yml")]
    playbook = directory / "render.yml"
    playbook.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "vars_files": files, "tasks": tasks}]), encoding="utf-8"
    )
    return ansible_playbook(playbook, *options, **WITH_WRITE_JSON, **variables)


def rendered_objects(directory: Path, host: str) -> list[dict[str, Any]]:
    """Return the objects of one host."""
    objects: list[dict[str, Any]] = json.loads((directory / f"{host}.json").read_text(encoding="utf-8"))
    return objects
