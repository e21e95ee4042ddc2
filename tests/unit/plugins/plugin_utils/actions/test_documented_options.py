# SPDX-License-Identifier: GPL-3.0-or-later
"""An action checks its options by what its module documents, as ansible-doc shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.agentsmith.dev.plugins.plugin_utils.container_engine import ENGINES
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import cluster_access
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import record, teardown
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.shapes import SHAPES
from ansible_collections.agentsmith.platform.plugins.plugin_utils.slack import slack_payload
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS, DEFAULT_APP

REPOSITORY = Path(__file__).parents[5]
COLLECTIONS = {"agentsmith.platform": REPOSITORY, "agentsmith.dev": REPOSITORY / "dev"}
ACTIONS = [
    f"{collection}.{path.stem}"
    for collection, directory in COLLECTIONS.items()
    for path in sorted((directory / "plugins/action").glob("[a-z]*.py"))
]
DEMO = "ansible_collections.example.demo.plugins"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Return the name of an action whose module is documented as DOCUMENTATION says, with a doc fragment."""
    module, fragment = request.node.name, f"shared_of_{request.node.name}"
    text = DOCUMENTATION.replace("shared", fragment)
    shared = SimpleNamespace(DOCUMENTATION=FRAGMENT, MORE=MORE)
    for name, content in (
        (f"modules.{module}", {"DOCUMENTATION": text}),
        (f"doc_fragments.{fragment}", {"ModuleDocFragment": shared}),
    ):
        python_module = ModuleType(name)
        vars(python_module).update(content)
        monkeypatch.setitem(sys.modules, f"{DEMO}.{name}", python_module)
    return f"{DEMO}.action.{module}"


DOCUMENTATION = """
module: demo
description: A demonstration.
options:
  name:
    description: A name.
    type: str
    required: true
    aliases: [called]
  size:
    description: A size.
    type: int
    default: 3
  colour:
    description: A colour, each with a description.
    choices:
      red: Like a rose.
      blue: Like the sea.
    default: red
  checks:
    description: Checks.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: A kind.
        type: str
        choices: [each, all]
        required: true
      limits:
        description: Limits.
        type: dict
        suboptions:
          least:
            description: The least.
            type: float
            default: 0.5
  place:
    required: true
extends_documentation_fragment:
  - another.collection.options
  - example.demo.shared
  - example.demo.shared.more
"""

FRAGMENT = """
options:
  place:
    description: A place.
    type: dict
    suboptions:
      street:
        description: A street.
        type: str
        default: ""
"""

MORE = """
options:
  more:
    description: More of them.
    type: list
    elements: path
"""


def test_types_defaults_and_choices(demo: str) -> None:
    specification = documented_options(demo)
    assert specification["name"] == {"type": "str", "required": True, "aliases": ["called"]}
    assert specification["size"] == {"type": "int", "default": 3}
    assert specification["colour"] == {"choices": ["red", "blue"], "default": "red"}


def test_suboptions_of_suboptions(demo: str) -> None:
    assert documented_options(demo)["checks"] == {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "choices": ["each", "all"], "required": True},
            "limits": {"type": "dict", "options": {"least": {"type": "float", "default": 0.5}}},
        },
    }


def test_fragments_of_the_same_collection(demo: str) -> None:
    """What the module says of an option comes on top of what the fragment says."""
    specification = documented_options(demo)
    street = {"street": {"type": "str", "default": ""}}
    assert specification["place"] == {"type": "dict", "required": True, "options": street}
    assert specification["more"] == {"type": "list", "elements": "path"}


def test_connection_options_are_those_that_the_code_resolves() -> None:
    """Beside them: what the connection is compared with, what a proxy gets, and what has no effect."""
    others = {"namespace", "api_server", "proxy_headers", "persist_config"}
    resolved = {name: [alias] if alias else [] for name, alias in cluster_access.OPTIONS.items()}
    options = options_of("agentsmith.platform.release_status_info")
    assert others <= options.keys()
    assert {name: option.get("aliases", []) for name, option in options.items() if name not in others} == resolved


def test_the_cached_documentation_stays_as_it_is(demo: str) -> None:
    assert documented_options(demo, unquoted=["more"])["more"] == {"type": "raw"}
    assert documented_options(demo)["more"] == {"type": "list", "elements": "path"}


@pytest.mark.parametrize("value", ["a MARKED text", {"a": "MARKED"}, ["MARKED"]])
def test_no_message_quotes_an_unquoted_option(demo: str, value: Any) -> None:
    def messages(*unquoted: str) -> str:
        validator = ArgumentSpecValidator(documented_options(demo, unquoted))
        return " ".join(validator.validate({"name": "x", "place": {}, "checks": value}).error_messages)

    assert "MARKED" in messages() or "dict" in messages()
    assert not messages("checks")


def test_rules_between_suboptions(demo: str) -> None:
    specification = documented_options(demo, rules={"checks": {"required_together": [("kind", "limits")]}})
    result = ArgumentSpecValidator(specification).validate({"name": "x", "place": {}, "checks": [{"kind": "all"}]})
    assert result.error_messages == ["parameters are required together: kind, limits found in checks"]


def test_refuses_to_leave_an_option_unquoted_that_there_is_not(demo: str) -> None:
    with pytest.raises(KeyError, match="chekcs"):
        documented_options(demo, unquoted=["chekcs"])


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What ansible-doc shows of every module, which puts the doc fragments together itself."""
    process = subprocess.run(
        ["ansible-doc", "--type", "module", "--json", *ACTIONS],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: entry["doc"]["options"] for name, entry in json.loads(process.stdout).items()}


def options_of(action: str) -> dict[str, Any]:
    collection, _, name = action.rpartition(".")
    return documented_options(f"ansible_collections.{collection}.plugins.action.{name}")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_knows_the_options_that_ansible_doc_shows(action: str, shown: dict[str, Any]) -> None:
    said = {name: _said(option) for name, option in shown[action].items()}
    assert {name: _known(option) for name, option in options_of(action).items()} == said


def _said(option: dict[str, Any]) -> dict[str, Any]:
    suboptions = {name: _said(inner) for name, inner in option.get("suboptions", {}).items()}
    choices = {*(option.get("choices") or ())}
    rest = {key: option.get(key) for key in ("elements", "default")}
    return {
        "type": option["type"],
        "required": option.get("required", False),
        "choices": choices,
        **rest,
        "of": suboptions,
    }


def _known(option: dict[str, Any]) -> dict[str, Any]:
    suboptions = {name: _known(inner) for name, inner in option.get("options", {}).items()}
    rest = {key: option.get(key) for key in ("elements", "default")}
    return {
        "type": option.get("type", "str"),
        "required": option.get("required", False),
        "choices": {*option.get("choices", ())},
        **rest,
        "of": suboptions,
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_states_options_itself(action: str) -> None:
    collection, _, name = action.rpartition(".")
    source = (COLLECTIONS[collection] / f"plugins/action/{name}.py").read_text()
    assert "documented_options(__name__" in source
    assert '"type":' not in source


@pytest.mark.parametrize(
    ("action", "option", "choices", "default"),
    [
        ("platform.teardown", "jobs", {teardown.WAIT, teardown.KILL, teardown.REFUSE}, teardown.REFUSE),
        ("platform.restore_release", "generation", {record.CURRENT, record.PREVIOUS}, record.CURRENT),
        ("platform.slack_event", "type", set(slack_payload.TYPES), "url_verification"),
        ("platform.verify_release", "app", set(APPS), DEFAULT_APP),
        ("dev.kind_cluster_plan", "engine", {"auto", *ENGINES}, "auto"),
    ],
)
def test_choices_are_those_that_the_code_knows(action: str, option: str, choices: set[str], default: str) -> None:
    specification = options_of(f"agentsmith.{action}")[option]
    assert set(specification["choices"]) == choices
    assert specification["default"] == default


def test_shapes_are_those_that_the_code_knows() -> None:
    assert options_of("agentsmith.platform.render_objects")["checks"]["options"]["shape"]["choices"] == sorted(SHAPES)


def test_engines_are_those_that_the_code_knows() -> None:
    assert options_of("agentsmith.dev.old_images")["engine"]["choices"] == list(ENGINES)
