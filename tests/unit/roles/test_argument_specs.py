# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of the roles are written from the defaults and their comments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from argument_specs import DEFAULTS, SPECS, CommentError, options_of, roles, written


@pytest.mark.parametrize("role", roles(), ids=lambda path: path.name)
def test_the_specs_are_those_of_the_defaults(role: Path) -> None:
    if (role / SPECS).read_text() != written(role):
        pytest.fail(f"{role.name}/{SPECS} is not what {role.name}/{DEFAULTS} says. Run: make argument-specs")


def test_all_roles_are_written() -> None:
    assert {"dispatcher", "redis", "secrets", "verify", "local_cluster"} <= {role.name for role in roles()}


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("a: true", {"type": "bool", "default": True}),
        ("a: 5", {"type": "int", "default": 5}),
        ("a: 0.5", {"type": "float", "default": 0.5}),
        ('a: ""', {"type": "str", "default": ""}),
        ("a: {}", {"type": "dict", "default": {}}),
        ("a: [x, y]", {"type": "list", "elements": "str", "default": ["x", "y"]}),
        ("a: [{b: 1}]", {"type": "list", "elements": "dict", "default": [{"b": 1}]}),
        ("a: \"{{ b | default('') ~ 'c' }}\"", {"type": "str"}),
        ("# type: path\na: ''", {"type": "path", "default": ""}),
        ("# type: bool\na: '{{ b }}'", {"type": "bool"}),
        ("# elements: dict\na: []", {"type": "list", "elements": "dict", "default": []}),
        ("# choices: [x, y]\na: x", {"type": "str", "choices": ["x", "y"], "default": "x"}),
        ("# no_log: true\na: ''", {"type": "str", "default": "", "no_log": True}),
        ("# no_log: false\na: ''", {"type": "str", "default": "", "no_log": False}),
        ("# required: true\n# a:", {"type": "str", "required": True}),
        ("# required: true\n# type: dict\n# no_log: true\n# a:", {"type": "dict", "required": True, "no_log": True}),
        ("a:\n  - b # with a comment\n\n  - c", {"type": "list", "elements": "str", "default": ["b", "c"]}),
    ],
)
def test_type_and_default_are_those_of_the_value(line: str, option: dict) -> None:
    assert options_of(f"# Text.\n{line}\n") == {"a": {**option, "description": "Text."}}


def test_options_within_an_option_and_those_of_another_variable() -> None:
    text = """
# Requests.
# options:
#   cpu: {type: str, required: true, description: CPU.}
#   more:
#     type: list
#     elements: str
#     description: >-
#       More
#       of them.
requests: {cpu: 1m}

# Limits.
# options: requests
limits: {}
"""
    inner = {
        "cpu": {"type": "str", "required": True, "description": "CPU."},
        "more": {"type": "list", "elements": "str", "description": "More of them."},
    }
    options = options_of(text)
    assert options["requests"]["options"] == options["limits"]["options"] == inner


@pytest.mark.parametrize(
    ("comment", "value", "description"),
    [
        ("# First line,\n# second line.", "x", "First line, second line."),
        ("# Text. Allowed: a name. Example: {{ not }} shown", "x", "Text. Allowed: a name."),
        ("# Text. Example:\n#\n#     a:\n#       - b", "x", "Text."),
        ("# Section\n\n# Text.", "x", "Text."),
        ("# Set `false` or `f(x)`.", "x", "Set C(false) or C(f(x\\))."),
        ("# Text.", "\"{{ fact | default('b') }}\"", "Text. Taken from C(fact), V(b) if that is not set."),
        ("# Text.", "\"{{ fact | default('') }}\"", "Text. Taken from C(fact), empty if that is not set."),
    ],
)
def test_the_description_is_the_comment(comment: str, value: str, description: str) -> None:
    assert options_of(f"{comment}\na: {value}\n")["a"]["description"] == description


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: x", "a: it has no description"),
        ("# A section\n\na: x", "a: it has no description"),
        ("# type: str\na: x", "a: it has no description"),
        ("# Text {{ b }}.\na: x", "a: a description cannot have {{"),
        ("# Text.\na:", "a: its value has none of the types"),
        ("# Text.\na: []", "a: say what the list is of"),
        ("# Text.\n# type: list\na: '{{ b }}'", "a: say what the list is of"),
        ("# Text.\n# type: str\n# secret: true\na: x", "a: secret is none of"),
        ("# Text.\n# required: true\na: x", "a: what is required has no value"),
        ("# Text.\n# type: str\n# a:", "a: what is required has no value"),
        ("# Text.\n# options: b\na: {}\n\n# Text.\nb: {}", "a: options names b, which is no variable with options"),
        ("# Text.\n# options:\n#   b: {type: str}\na: {}", "a.b: description missing"),
        ("# Text.\n# options:\n#   b: {type: str, description: x, and y}\na: {}", "a.b: and y is none of"),
    ],
)
def test_a_comment_that_does_not_say_enough_is_refused(text: str, fault: str) -> None:
    with pytest.raises(CommentError, match=fault.replace("{", r"\{")):
        options_of(f"---\n{text}\n")


def test_the_entries_keep_their_texts(tmp_path: Path) -> None:
    for directory in ("defaults", "meta"):
        (tmp_path / directory).mkdir()
    (tmp_path / DEFAULTS).write_text("# Text.\na: x\n")
    entries = {name: {"short_description": name, "description": ["One.", "Two."]} for name in ("main", "render")}
    (tmp_path / SPECS).write_text(yaml.safe_dump({"argument_specs": entries}, sort_keys=False))
    option = {"type": "str", "default": "x", "description": "Text."}
    expected = {name: {**entry, "options": {"a": option}} for name, entry in entries.items()}
    text = written(tmp_path)
    assert yaml.safe_load(text)["argument_specs"] == expected
    (tmp_path / SPECS).write_text(text)
    assert written(tmp_path) == text
