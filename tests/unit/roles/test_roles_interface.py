# SPDX-License-Identifier: GPL-3.0-or-later
"""What every role has: a README, metadata, and an argument spec that agrees with its defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[3]
ROLES = sorted(
    meta.parents[1] for folder in ("roles", "dev/roles") for meta in CHECKOUT.glob(f"{folder}/*/meta/main.yml")
)
PARTS = ["config", "dispatcher", "extra", "job_policy", "namespace", "quota", "rbac", "redis", "secrets"]


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


def test_argument_spec_has_the_variables_of_the_defaults(role: Path) -> None:
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    required = {name for name, option in options.items() if option.get("required")}
    assert options.keys() - required == load(role / "defaults/main.yml").keys()


def test_argument_spec_tells_the_defaults(role: Path) -> None:
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    defaults = load(role / "defaults/main.yml")
    assert told == {name: value for name, value in defaults.items() if name in told}


def test_every_variable_is_described(role: Path) -> None:
    for entry in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        assert entry["short_description"]
        for name, option in entry["options"].items():
            assert option["description"], name
            assert option["type"], name


def test_a_part_renders_and_applies_with_the_same_arguments(part: Path) -> None:
    entries = load(part / "meta/argument_specs.yml")["argument_specs"]
    assert entries.keys() == {"main", "render"}
    assert entries["main"]["options"] == entries["render"]["options"]


def test_a_part_writes_nothing_while_it_renders(part: Path) -> None:
    *before, task = load(part / "tasks/render.yml")
    checks = ["agentsmith.platform.config_check"] if part.name == "config" else []
    assert [next(key for key in check if "." in key) for check in before] == checks
    assert task.keys() == {"name", "agentsmith.platform.render_objects", "register"}
    assert task["register"] == f"{part.name}_render"
    templates = {path.name for path in part.glob("templates/*")}
    assert set(task["agentsmith.platform.render_objects"].get("templates", [])) == templates


def test_secrets_are_marked_as_such() -> None:
    secrets = CHECKOUT / "roles" / "secrets"
    options = load(secrets / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    checks = load(secrets / "vars/main.yml")["__secrets_value_checks"]
    keys = {f"secrets_{key.replace('-', '_')}": key for key in load(secrets / "vars/main.yml")["__secrets_keys"]}
    assert len(keys) == 11
    assert {name for name, option in options.items() if option.get("no_log")} == keys.keys() | {
        "secrets_extra",
        "secrets_registries",
    }
    assert {check["variable"]: check["value_of"] for check in checks if "value_of" in check} == keys
