# SPDX-License-Identifier: GPL-3.0-or-later
"""What every role has: a README, metadata and entries; and what every part has. Variables: test_argument_specs.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import (
    SECRET_KEYS,
    SOURCE_PROVIDERS,
    TICKETS_PROVIDERS,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.variable_checks import CHECK_RULES
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import (
    KEYS,
    REQUIRED_KEYS,
    snake_case,
)

CHECKOUT = Path(__file__).parents[3]
ROLES = sorted(
    meta.parents[1] for folder in ("roles", "dev/roles") for meta in CHECKOUT.glob(f"{folder}/*/meta/main.yml")
)
RENDER_OBJECTS = "ansible_collections.agentsmith.platform.plugins.action.render_objects"
CHECKS = documented_options(RENDER_OBJECTS, rules={"checks": CHECK_RULES})["checks"]
PARTS = ["config", "dispatcher", "extra", "job_policy", "monitoring", "namespace", "quota", "rbac", "redis", "secrets"]


def load(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


@pytest.fixture(params=ROLES, ids=lambda path: path.name)
def role(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(params=PARTS)
def part(request: pytest.FixtureRequest) -> Path:
    return CHECKOUT / "roles" / request.param


def test_has_a_readme_and_metadata(role: Path) -> None:
    assert (role / "README.md").read_text().startswith(f"# {role.name}\n")
    assert load(role / "meta/main.yml")["galaxy_info"]["description"]


def test_every_entry_is_described(role: Path) -> None:
    for entry in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        assert entry["short_description"]
        assert entry["description"]


def test_a_part_renders_and_applies_with_the_same_arguments(part: Path) -> None:
    entries = load(part / "meta/argument_specs.yml")["argument_specs"]
    assert entries.keys() == {"main", "render"}
    assert entries["main"]["options"] == entries["render"]["options"]


def test_all_parts_are_rendered_by_the_same_task(part: Path) -> None:
    assert load(part / "tasks/render.yml") == [
        {
            "name": "Render the objects",
            "agentsmith.platform.render_objects": {"part": part.name},
            "register": f"{part.name}_render",
        }
    ]


def test_all_parts_are_applied_by_the_same_tasks(part: Path) -> None:
    first, then = load(part / "tasks/main.yml")
    assert first["ansible.builtin.import_tasks"] == "render.yml"
    apply = then["agentsmith.platform.apply"]
    assert apply["objects"] == f"{{{{ {part.name}_render.objects }}}}"
    assert apply["prune"] == {
        "namespace": "{{ agentsmith_namespace }}",
        "instance": f"{{{{ {part.name}_instance }}}}",
        "component": load(part / "part.yml")["component"],
    }


def test_a_part_states_all_its_templates(part: Path) -> None:
    stated = load(part / "part.yml").get("templates", [])
    assert set(stated) == {path.name for path in part.glob("templates/*")}
    assert len(stated) == len(set(stated))


def checks_of(part: Path) -> list[dict[str, Any]]:
    """The checks of a part, whether made always or `when` a condition holds."""
    return [check for stated in load(part / "part.yml").get("checks", []) for check in stated.get("checks", [stated])]


def test_the_checks_of_a_part_are_such_as_the_module_takes(part: Path) -> None:
    checks = checks_of(part)
    for check in checks:
        if "{{" in check.get("shape", ""):
            check["shape"] = "image_reference"
    result = ArgumentSpecValidator({"checks": CHECKS}).validate({"checks": checks})
    assert result.error_messages == []


def test_the_checks_of_a_part_stand_in_its_file_and_those_of_all_in_none(part: Path) -> None:
    assert [name for name in load(part / "vars/main.yml") if "check" in name] == []
    common = {"agentsmith_namespace", f"{part.name}_instance"}
    assert [check for check in checks_of(part) if check["variable"] in common] == []


def test_the_parts_of_a_release_are_tags() -> None:
    tags, task = load(CHECKOUT / "playbooks/tasks/render_release.yml")
    assert sorted(tags["tags"]) == PARTS == sorted(path.parent.name for path in CHECKOUT.glob("roles/*/part.yml"))
    assert task["agentsmith.platform.render_release"]["parts"] == tags["tags"]
    # With the tags of the parts, --skip-tags of one of them would skip all
    assert task["tags"] == ["always"]


def test_secrets_are_marked_as_such() -> None:
    secrets = CHECKOUT / "roles" / "secrets"
    options = load(secrets / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    variables = {f"secrets_{snake_case(key)}" for key in KEYS}
    assert {"secrets_redis_url", "secrets_jira_token"} <= variables
    assert {name for name, option in options.items() if option.get("no_log")} == variables | {
        "secrets_extra",
        "secrets_registries",
    }
    assert {"variable": "secrets_*", "value_of": "*"} in checks_of(secrets)


def test_the_secret_has_every_key_that_the_app_knows() -> None:
    values = load(CHECKOUT / "roles/secrets/vars/main.yml")["__secrets_keys"]
    assert values.keys() == set(KEYS)
    for key, value in values.items():
        assert f"secrets_{snake_case(key)}" in value


def test_the_dispatcher_reads_the_keys_of_sources_and_tickets() -> None:
    """Those of models are read by Jobs, so the Dispatcher has one of them only if a switch is on."""
    variables = load(CHECKOUT / "roles/dispatcher/vars/main.yml")
    providers = [*SOURCE_PROVIDERS.values(), *TICKETS_PROVIDERS.values()]
    optional = variables["__dispatcher_optional_secrets"]
    assert set(optional) == {key for provider in providers for key in provider.secrets}
    assert set(variables["__dispatcher_required_secrets"]) == set(REQUIRED_KEYS)
    assert {key.upper().replace("-", "_") for key in optional} == {SECRET_KEYS[key].variable for key in optional}
