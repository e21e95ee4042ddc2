# SPDX-License-Identifier: GPL-3.0-or-later
"""The action in a play: what it hands on, what it refuses, and that no secret shows in either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

IDENTITY = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: team\n"

TEMPLATES = {
    "good.yaml.j2": IDENTITY + "data:\n{% for n in [1, 2] %}\n  key{{ n }}: {{ secret | to_json }}\n{% endfor %}\n",
    "empty.yaml.j2": "{% if false %}\n" + IDENTITY + "{% endif %}\n",
    "backslash.yaml.j2": IDENTITY + 'data:\n  path: {{ "C:\\\\n" | to_json }}\n',
    "undefined.yaml.j2": IDENTITY + "data: {{ no_such_variable.x | to_json }}\n",
    "syntax.yaml.j2": "kind: {{ secret }}\n{% if %}\n",
    "filter.yaml.j2": "kind: {{ secret | human_to_bytes }}\n",
    "duplicate.yaml.j2": "kind: one\nkind: {{ secret }}\n",
    "unquoted.yaml.j2": IDENTITY + "data: {a: {{ secret }}: {{ secret }}}\n",
    "global.yaml.j2": "apiVersion: v1\nkind: ClusterThing\nmetadata:\n  name: one\n",
    "nameless.yaml.j2": "apiVersion: v1\nkind: ConfigMap\ndata: {{ secret | to_json }}\n",
    "expression.yaml.j2": "{{ [secret] }}",
}

# template -> texts that the message must have
FAULTS = {
    "undefined": ["templates/undefined.yaml.j2 cannot be rendered for the target localhost", "'no_such_variable' is"],
    "syntax": ["templates/syntax.yaml.j2", "line 2: Expected an expression"],
    "filter": ["templates/filter.yaml.j2", "Error", "not shown, as it may quote a secret value"],
    "duplicate": ["templates/duplicate.yaml.j2", "line 2, column 1 of what it renders", "already"],
    "unquoted": ["templates/unquoted.yaml.j2", "no valid YAML|not render valid YAML", "line 6", "to_json"],
    "nameless": ["templates/nameless.yaml.j2", "ConfigMap has no metadata.name"],
    "expression": ["templates/expression.yaml.j2", "renders a list, not a text"],
    "missing": ["missing.yaml.j2 of the part part was not found"],
}

BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no shape": (
        {"checks": [{"variable": "a"}]},
        "one of the following is required: shape, matches, value_of, vault, certificate_for, that",
    ),
    "two shapes": ({"checks": [{"variable": "a", "shape": "token", "matches": "x"}]}, "mutually exclusive"),
    "unknown shape": (
        {"checks": [{"variable": "a", "shape": "circle"}]},
        "must be one of: app, cidr, count, dns_label",
    ),
    "no words": (
        {"checks": [{"variable": "a", "matches": "x"}]},
        "missing parameter(s) required by 'matches': allowed",
    ),
    "no list": ({"objects": {"a": "MARKED"}}, "The objects of the part part are a dict, not a list."),
    "no object": (
        {"objects": ["MARKED"]},
        "Object 0 of the part part is not usable for the target localhost: it is no mapping",
    ),
    "no kind": (
        {"objects": [{"apiVersion": "v1", "a": "MARKED"}]},
        "Object 0 of the part part is not usable for the target localhost: the",
    ),
    "unknown option": ({"template": "x"}, "Unsupported parameters"),
}


NAMESPACE = {"agentsmith_namespace": "{{ 'team-' ~ 'a' }}"}


def render(**options: Any) -> dict[str, Any]:
    defaults = {"component": "part", "instance": "smith", "templates": []}
    return {"agentsmith.platform.render_objects": {**defaults, **options}}


@pytest.fixture(scope="module")
def played(play: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All cases in one play, at the highest verbosity and in check mode."""
    directory = tmp_path_factory.mktemp("action")
    (directory / "templates").mkdir()
    for name, text in TEMPLATES.items():
        (directory / "templates" / name).write_text(text)
    good = ["good.yaml.j2", "empty.yaml.j2", "backslash.yaml.j2"]
    tasks = [
        {"name": "good", **render(templates=good), "register": "good"},
        {"name": "count", "ansible.builtin.debug": {"msg": "{{ good.objects | length }}"}},
        {"name": "path", "ansible.builtin.debug": {"msg": "{{ good.objects[1].data.path }}"}},
        {"name": "handed on", "ansible.builtin.debug": {"msg": "{{ good.objects[0].data.key2 == secret }}"}},
        {"name": "labels", "ansible.builtin.debug": {"msg": "{{ good.objects[0].metadata.labels }}"}},
    ]
    tasks += [
        {"name": "global", **render(templates=["global.yaml.j2"]), "register": "global", "vars": NAMESPACE},
        {"name": "global labels", "ansible.builtin.debug": {"msg": "{{ global.objects[0].metadata.labels }}"}},
    ]
    tasks += [{"name": fault, **render(templates=[f"{fault}.yaml.j2"])} for fault in FAULTS]
    tasks += [{"name": name, **render(**options)} for name, (options, _message) in BAD_OPTIONS.items()]
    return play(directory, tasks, "-vvvv", "--check", variables={"secret": "MARKED' \" \\ *x"})


def test_objects_are_handed_on(played: Any) -> None:
    assert played.results["count"]["msg"] == 2
    assert played.results["handed on"]["msg"] is True
    assert played.results["path"]["msg"] == "C:\\n"
    assert played.results["labels"]["msg"] == {
        "app.kubernetes.io/name": "one",
        "app.kubernetes.io/instance": "smith",
        "app.kubernetes.io/component": "part",
        "app.kubernetes.io/part-of": "agentsmith",
        "app.kubernetes.io/managed-by": "agentsmith.platform",
    }


def test_an_object_outside_of_namespaces_names_that_of_the_release(played: Any) -> None:
    assert played.results["global labels"]["msg"]["agentsmith.platform/namespace"] == "team-a"


def test_success_is_hidden(played: Any) -> None:
    assert played.results["good"].keys() == {"censored", "changed"}
    assert played.results["good"]["changed"] is False


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_is_shown(played: Any, fault: str) -> None:
    message = played.results[fault]["msg"]
    for text in FAULTS[fault]:
        assert any(choice in message for choice in text.split("|"))


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options_are_refused(played: Any, name: str) -> None:
    assert BAD_OPTIONS[name][1] in played.results[name]["msg"]


def test_no_secret_shows(played: Any) -> None:
    assert "MARKED" not in played.output


def test_nothing_is_deprecated(played: Any) -> None:
    assert "DEPRECATION" not in played.output
