# SPDX-License-Identifier: GPL-3.0-or-later
"""A part is rendered from what it states and from values, without Ansible's playbooks and actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.part import (
    ROLES,
    Part,
    read_part,
    render_part,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.template_engine import RenderError
from jinja_engine import JinjaEngine

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: team\n"
PROJECT = {
    "source": {"type": "GitHub", "url": "https://github.com/example/web"},
    "tickets": {"type": "GitHub", "url": "https://github.com/example/web"},
    "agent": {"type": "Claude", "model": "m"},
    "pipeline": "fix",
    "colour": "nobody reads this key, which is a warning",
}
CONFIGURATION = {"projects": {"web": PROJECT}, "pipelines": {"fix": {"commands": ["CheckoutSourceCommand"]}}}


def a_part(directory: Path, templates: dict[str, str] | None = None, **stated: Any) -> Part:
    """A part whose role lies in `directory`."""
    (directory / "templates").mkdir(exist_ok=True)
    for name, text in (templates or {}).items():
        (directory / "templates" / name).write_text(text)
    return Part(
        **{"component": "part", "instance": "{{ part_instance }}", "templates": [*(templates or {})], **stated},
        directory=directory,
    )


def render(part: Part, directory: Path, **variables: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what is rendered, and the warnings."""
    warnings: list[str] = []
    engine = JinjaEngine(directory, {"part_instance": "smith", "inventory_hostname": "eu", **variables})
    return render_part(part, engine, warnings.append), warnings


def refused(part: Part, directory: Path, **variables: Any) -> str:
    with pytest.raises(RenderError) as refusal:
        render(part, directory, **variables)
    return str(refusal.value)


def test_its_templates_become_objects_with_labels_in_their_order(tmp_path: Path) -> None:
    templates = {
        "b.yaml.j2": CONFIG_MAP + "data: {key: {{ secret | to_json }}}\n",
        "empty.yaml.j2": "{% if false %}\n" + CONFIG_MAP + "{% endif %}\n",
        "a.yaml.j2": CONFIG_MAP.replace("one", "two"),
    }
    result, warnings = render(a_part(tmp_path, templates), tmp_path, secret="MARKED: {")
    assert result.keys() == {"objects"}
    assert warnings == []
    assert [item["metadata"]["name"] for item in result["objects"]] == ["one", "two"]
    assert result["objects"][0]["data"] == {"key": "MARKED: {"}
    assert result["objects"][0]["metadata"]["labels"] == {
        "app.kubernetes.io/name": "one",
        "app.kubernetes.io/instance": "smith",
        "app.kubernetes.io/component": "part",
        "app.kubernetes.io/part-of": "agentsmith",
        "app.kubernetes.io/managed-by": "agentsmith.platform",
    }


def test_complete_objects_stand_behind_those_of_the_templates(tmp_path: Path) -> None:
    given = {"apiVersion": "v1", "kind": "ClusterThing", "metadata": {"name": "given"}}
    part = a_part(tmp_path, {"a.yaml.j2": CONFIG_MAP}, objects="{{ part_objects }}")
    objects = render(part, tmp_path, part_objects=[given], agentsmith_namespace="team")[0]["objects"]
    assert [item["kind"] for item in objects] == ["ConfigMap", "ClusterThing"]
    assert objects[1]["metadata"]["labels"]["agentsmith.platform/namespace"] == "team"
    assert "labels" not in given["metadata"], "what the inventory gave is changed"
    assert (
        refused(part, tmp_path, part_objects={"a": "MARKED"}) == "The objects of the part part are a dict, not a list."
    )
    message = refused(part, tmp_path, part_objects=[given, {"apiVersion": "v1", "a": "MARKED"}])
    assert message == "Object 1 of the part part is not usable for the target eu: the object has no kind."


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        (
            CONFIG_MAP + "data: {{ nothing }}",
            ["cannot be rendered for the target eu: 'nothing' is undefined"],
        ),
        ("kind: {{ secret }}\n{% if %}\n", ["line 2: Expected an expression"]),
        ("kind: {{ secret | nonsense }}", ["TemplateAssertionError (what it says is not shown"]),
        ("kind: one\nkind: {{ secret }}", ["line 2, column 1 of what it renders", "already"]),
        ("apiVersion: v1\nkind: ConfigMap\ndata: {{ secret | to_json }}", ["ConfigMap has no metadata.name"]),
    ],
)
def test_a_fault_in_a_template_names_it_and_no_value(tmp_path: Path, template: str, texts: list[str]) -> None:
    message = refused(a_part(tmp_path, {"a.yaml.j2": template}), tmp_path, secret="MARKED")
    assert f"{tmp_path}/templates/a.yaml.j2" in message
    assert [text for text in texts if text not in message] == []
    assert "MARKED" not in message


def test_a_template_that_is_nowhere(tmp_path: Path) -> None:
    part = a_part(tmp_path, templates=None)
    part = Part(part.component, part.instance, templates=["gone.yaml.j2"], directory=tmp_path)
    message = refused(part, tmp_path)
    assert message == "The template gone.yaml.j2 of the part part was not found: no templates/gone.yaml.j2"


def test_nothing_is_rendered_with_variables_that_are_not_usable(tmp_path: Path) -> None:
    checks = [{"variable": "part_size", "shape": "quantity"}, {"variable": "part_count", "shape": "count"}]
    part = a_part(tmp_path, {"a.yaml.j2": "{{ no_template }}"}, checks=checks)
    assert refused(part, tmp_path, part_size="much", part_count=1).splitlines() == [
        "The variables of the part part are not usable for the target eu; nothing was rendered.",
        "- part_size is 'much'. Allowed: a Kubernetes quantity (500m, 1.5, 384Mi, 1Gi).",
    ]


def test_checks_can_depend_on_a_condition(tmp_path: Path) -> None:
    checks = [
        {"when": "part_tls == 'own'", "checks": [{"variable": "part_key", "matches": "k+", "allowed": "k"}]},
        {"variable": "part_image", "shape": "{{ part_shape }}"},
    ]
    part = a_part(tmp_path, checks=checks)
    values = {"part_key": "x", "part_image": "redis:7", "part_shape": "tagged_image"}
    assert render(part, tmp_path, part_tls="none", **values)[0] == {"objects": []}
    assert "- part_key is 'x'. Allowed: k." in refused(part, tmp_path, part_tls="own", **values)
    assert "- part_image is" in refused(part, tmp_path, part_tls="none", **{**values, "part_shape": "pinned_image"})


def test_a_part_that_is_switched_off_is_not_checked(tmp_path: Path) -> None:
    checks = [{"variable": "part_count", "shape": "count"}]
    part = a_part(tmp_path, {"a.yaml.j2": CONFIG_MAP}, checks=checks, enabled="part_enabled")
    assert render(part, tmp_path, part_enabled="no", part_count="many")[0] == {"objects": []}
    assert "part_count" in refused(part, tmp_path, part_enabled=True, part_count="many")
    assert refused(part, tmp_path, part_enabled="ture") == (
        f"Whether the part {tmp_path.name} is wanted cannot be told for the target eu: part_enabled is 'ture'. "
        "Allowed: true, false."
    )


def with_configuration(directory: Path) -> Part:
    stated = {"config": "{{ part_config }}", "file": "{{ part_file }}", "app": "{{ part_app }}", "allow": []}
    exactly_one = {
        "variable": "part_config",
        "that": "(part_config | length > 0) != (part_file | length > 0)",
        "allowed": "one of part_config and part_file",
    }
    return a_part(directory, {"a.yaml.j2": CONFIG_MAP}, configuration=stated, checks=[exactly_one])


def test_the_configuration_is_checked_and_says_which_secrets_it_needs(tmp_path: Path) -> None:
    values = {"part_config": CONFIGURATION, "part_file": "", "part_app": "be4bffa1"}
    result, warnings = render(with_configuration(tmp_path), tmp_path, **values)
    assert [item["kind"] for item in result["objects"]] == ["ConfigMap"]
    assert [secret["key"] for secret in result["required_secrets"]] == ["anthropic-api-key", "github-token"]
    assert result["error_count"] == 0
    assert len(warnings) == result["warning_count"] == 1
    assert "warnings" not in result


def test_a_configuration_with_errors_is_the_result(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/agentsmith.yml").write_text("projects: {Web: {pipeline: fax}}\npipelines: {}\n")
    values = {"part_config": {}, "part_file": "agentsmith.yml", "part_app": "be4bffa1"}
    result, _warnings = render(with_configuration(tmp_path), tmp_path, **values)
    assert result["failed"] is True
    assert result["msg"].startswith("agentsmith.yml has ")
    assert "objects" not in result


@pytest.mark.parametrize(("config", "file"), [({}, ""), (CONFIGURATION, "agentsmith.yml")])
def test_none_or_two_configurations_are_named_by_their_variables(
    tmp_path: Path, config: dict[str, Any], file: str
) -> None:
    values = {"part_config": config, "part_file": file, "part_app": "be4bffa1"}
    assert "part_config does not fit" in refused(with_configuration(tmp_path), tmp_path, **values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"part_app": "0.9.1", "part_file": ""}, "The configuration cannot be checked: the option app"),
        (
            {"part_config": {}, "part_file": "gone.yml"},
            "The configuration gone.yml (option file; config_file of the role",
        ),
    ],
)
def test_a_configuration_that_cannot_be_checked(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    given = {"part_config": CONFIGURATION, "part_app": "be4bffa1", **values}
    assert refused(with_configuration(tmp_path), tmp_path, **given).startswith(message)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ROLES.glob("*/part.yml")))
def test_every_part_is_checked_for_what_all_have_in_common(name: str) -> None:
    part = read_part(name, str)
    assert part.instance == f"{{{{ {name}_instance }}}}"
    assert part.component == name.replace("_", "-")
    checked = {check["variable"]: check["shape"] for check in part.checks if check.get("shape")}
    assert checked[f"{name}_instance"] == "dns_label"
    assert checked.get("agentsmith_namespace") == ("namespace" if "agentsmith_namespace" in part.arguments else None)


def test_a_part_that_does_not_exist() -> None:
    with pytest.raises(RenderError, match="There is no part nothing: .*roles/nothing/part.yml does not exist"):
        read_part("nothing", str)
