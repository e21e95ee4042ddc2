# SPDX-License-Identifier: GPL-3.0-or-later
"""An execution environment gets what the product needs. One is built, and deploys, in molecule/installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml
from execution_environment import shown_definition
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[3]
DEPENDENCIES = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def requirements(*lines: str) -> dict[str, str]:
    """Return the ranges of versions by package."""
    return {required.name: str(required.specifier) for required in map(Requirement, lines)}


def test_the_readme_and_the_collection_name_the_ranges_of_the_project() -> None:
    named = yaml.safe_load((CHECKOUT / "meta/execution-environment.yml").read_text(encoding="utf-8"))["dependencies"]
    packages = (CHECKOUT / named["python"]).read_text(encoding="utf-8").split()
    core = shown_definition()["dependencies"]["ansible_core"]["package_pip"]
    assert requirements(core, *packages) == requirements(*DEPENDENCIES)
