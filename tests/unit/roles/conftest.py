# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the roles as a playbook does. Every case is a host of one inventory: one start of Ansible serves them all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from rendering import render_release, rendered_objects
from required_variables import REQUIRED


@dataclass
class Run:
    """What one ansible-playbook run rendered and said, by host."""

    output: str
    objects: dict[str, dict[str, dict[str, Any]]]  # host -> "Kind/name" -> object
    failures: dict[str, str]  # host -> message


class _Inventory(yaml.SafeDumper):
    """Quotes every text, so that it arrives as it is."""

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')


class _InventoryOfLiterals(_Inventory):
    """Marks the texts that Ansible would take for a template, too."""

    def represent_text(self, text: str) -> yaml.Node:
        is_template = re.search(r"\{[{%#]", text)
        return self.represent_scalar("!unsafe" if is_template else "tag:yaml.org,2002:str", text, style='"')


for _dumper in (_Inventory, _InventoryOfLiterals):
    _dumper.add_representer(str, _dumper.represent_text)


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Render the release for every host, given as {host: variables on top of REQUIRED, None to leave one out}.

    With `templates`, the variables may be Jinja templates; without, they arrive as they are written.
    """

    def run(hosts: dict[str, dict[str, Any]], *options: str, templates: bool = False) -> Run:
        directory = tmp_path_factory.mktemp("render")
        inventory = {
            host: {name: value for name, value in {**REQUIRED, **variables}.items() if value is not None}
            for host, variables in hosts.items()
        }
        dumper = _Inventory if templates else _InventoryOfLiterals
        text = yaml.dump({"all": {"hosts": inventory}}, Dumper=dumper, sort_keys=False)
        (directory / "hosts.yml").write_text(text)
        process = render_release(
            directory, "-i", directory / "hosts.yml", "--forks=4", *options, ANSIBLE_CALLBACK_RESULT_FORMAT="json"
        )
        output = process.stdout + process.stderr
        objects = {
            path.stem: {
                f"{item['kind']}/{item['metadata']['name']}": item for item in rendered_objects(directory, path.stem)
            }
            for path in directory.glob("*.json")
        }
        failures = {
            match[1]: json.JSONDecoder().raw_decode(output, match.end())[0]["msg"]
            for match in re.finditer(r"^fatal: \[([^]]+)\]: FAILED! => ", output, re.MULTILINE)
        }
        assert objects.keys() | failures.keys() == hosts.keys(), output
        return Run(output, objects, failures)

    return run
