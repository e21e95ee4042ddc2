# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/deviations.md lists every field in which the seed, upstream and this project do not agree, and no other.

`seed_objects.yml` has what the seed and upstream state. It is compared with what `inventories/dev` and
`inventories/prod` render, in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from deviations import Sides, Table, wrong
from object_fields import Fields, object_fields
from production_copy import PASSWORD_SOURCE, copy_production
from required_variables import REQUIRED

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs/deviations.md").read_text(encoding="utf-8")
STATED = yaml.safe_load(Path(__file__).with_name("seed_objects.yml").read_text(encoding="utf-8"))


def stated(environment: str) -> tuple[Table, Table]:
    """Return what the seed and upstream state. Upstream repeats the seed where it states nothing else."""
    seed = [STATED["seed"]["both"], STATED["seed"][environment]]
    upstream = [STATED["upstream"]["both"], STATED["upstream"][environment]]
    return merged(seed), merged(seed + upstream)


def merged(layers: list[Table]) -> Table:
    names = {name for layer in layers for name in layer}
    fields = {name: {path: value for layer in layers for path, value in layer.get(name, {}).items()} for name in names}
    return {name: {**items(fields[name]), **fields[name]} for name in names}


def items(fields: Fields) -> Fields:
    """Return the items of lists in which a field is stated: `env[A].value` is one in `env[A]`."""
    found = (match for path in fields for match in re.finditer(r"\[([^]]*)\](?=\.)", path))
    return {match.string[: match.end()]: yaml.safe_load(match[1]) for match in found}


@pytest.fixture(scope="module")
def sides(render: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sides]:
    from_the_inventory = dict.fromkeys(REQUIRED)
    production = tmp_path_factory.mktemp("production") / "inventory"
    copy_production(production)
    dev = render({"dev": {**from_the_inventory, "dev_checkout": str(CHECKOUT)}}, "-i", "inventories/dev")
    options = ["-i", str(production), "--vault-id", f"prod@{PASSWORD_SOURCE}", "--limit", "prod-eu"]
    prod = render({"prod-eu": from_the_inventory}, *options)
    objects = {"dev": dev.objects["dev"], "prod": prod.objects["prod-eu"]}
    return {
        environment: Sides(*stated(environment), {name: object_fields(body) for name, body in bodies.items()})
        for environment, bodies in objects.items()
    }


def test_the_page_lists_every_difference_and_nothing_else(sides: dict[str, Sides]) -> None:
    problems = wrong(sides, PAGE)
    assert not problems, "\n".join(problems)


DISPATCHER = "Deployment/agentsmith-dispatcher"


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        (DISPATCHER, {"pod.hostNetwork": True}, "seed '-', upstream '-', here True"),
        (DISPATCHER, {"spec.replicas": 3}, "spec.replicas: seed 1, upstream 1, here 3"),
        ("Service/redis", {"spec.type": None}, "spec.type: seed 'ClusterIP', upstream 'ClusterIP', here '-'"),
        ("Service/new", {"spec.type": "ClusterIP"}, "Service/new the object: seed -, upstream -, here has it"),
        (DISPATCHER, {"pod.securityContext.runAsUser": 0}, "here is {'': 0}, but the page says `10001`"),
        (DISPATCHER, {"container.env[GITHUB_TOKEN].valueFrom.secretKeyRef.optional": False}, "GITHUB_TOKEN]: here is"),
        (DISPATCHER, {"spec.template.metadata.labels[app.kubernetes.io/new]": "x"}, "no row, dev"),
        (
            "ConfigMap/agentsmith-config",
            {"metadata.labels[app.kubernetes.io/name]": "agentsmith"},
            "here is {'': 'agentsmith'}, but the page says the object's own name",
        ),
        (
            DISPATCHER,
            {"spec.template.metadata.labels[app.kubernetes.io/component]": "x"},
            "but the page says those of the Deployment",
        ),
        (DISPATCHER, {"container.image": None}, "container.image: not there, but the page says the image"),
        (
            "Service/redis",
            {"metadata.labels[app.kubernetes.io/component]": "message-bus"},
            "but the page says `redis`",
        ),
    ],
)
def test_another_rendering_is_noticed(sides: dict[str, Sides], name: str, change: dict[str, Any], problem: str) -> None:
    fields = sides["dev"].here.get(name, {}) | change
    changed = {field: value for field, value in fields.items() if value is not None}
    dev = replace(sides["dev"], here=sides["dev"].here | {name: changed})
    (found,) = wrong({**sides, "dev": dev}, PAGE)
    assert problem in found


def test_a_lost_object_is_noticed(sides: dict[str, Sides]) -> None:
    here = {name: fields for name, fields in sides["dev"].here.items() if not name.startswith("RoleBinding/")}
    found = wrong({"dev": replace(sides["dev"], here=here)}, PAGE)
    assert "no row, dev: RoleBinding/agentsmith-job-manager the object: seed has it, upstream has it, here -" in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("| `spec.strategy` | - | - | `{type: Recreate}` |", "| `spec.nothing` | - | - | - |", "is no difference"),
        ("| `Deployment/redis` | `spec.strategy` |", "| `Deployment/*` | `spec.strategy` |", "is in another row, too"),
        ("`message-bus`", "`bus`", "upstream is {'': 'message-bus'}, but the page says `bus`"),
        (
            "| the object | - | - | one replica at a time |",
            "| the object | - | one replica at a time | - |",
            "the object: upstream -, but the page says one replica at a time",
        ),
        ("| `{type: Recreate}` |", "| words |", "has the fields ['type'], but the page has no value: words"),
        (
            "## What only `inventories/prod` has",
            "## What differs",
            "dev: Certificate/agentsmith-dispatcher the object is no difference",
        ),
    ],
)
def test_a_wrong_row_is_noticed(sides: dict[str, Sides], old: str, new: str, problem: str) -> None:
    assert PAGE.count(old) == 1
    assert any(problem in found for found in wrong(sides, PAGE.replace(old, new)))
