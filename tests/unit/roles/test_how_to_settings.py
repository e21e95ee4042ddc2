# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that the how-to pages show: their variables exist, and the roles take the values."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
# Facts of a target, and variables of playbooks, which no role has.
FACTS = re.compile(r"agentsmith_\w+|drift_\w+")
INDENTED = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)
PAGES = ["managed-clouds", "openshift", "service-mesh"]


def blocks(page: str) -> Iterator[dict[str, Any]]:
    """Yield the variables of each block of a page that sets some."""
    for block in INDENTED.findall(page):
        text = textwrap.dedent(block)
        if re.match(r"\s*[a-z]+(_[a-z]+)+:", text):
            yield yaml.safe_load(text)


@pytest.fixture(scope="module")
def settings() -> dict[str, dict[str, Any]]:
    """What the pages set, by page and number."""
    found = {}
    for page in PAGES:
        text = (REPOSITORY / f"docs/how-to/{page}.md").read_text(encoding="utf-8")
        inline = [yaml.safe_load(setting) for setting in re.findall(r"`([a-z]+(?:_[a-z]+)+: [^`]+)`", text)]
        found |= {f"{page}-{number}": setting for number, setting in enumerate([*blocks(text), *inline])}
    return found


def test_every_variable_exists(settings: dict[str, dict[str, Any]]) -> None:
    defaults = [path.read_text(encoding="utf-8") for path in REPOSITORY.glob("roles/*/defaults/main.yml")]
    known = {name for text in defaults for name in yaml.safe_load(text) or {}}
    stated = {name for variables in settings.values() for name in variables}
    assert len(settings) >= 5
    assert {name for name in stated - known if not FACTS.fullmatch(name)} == set()


def test_the_roles_take_the_values(render: Callable[..., Any], settings: dict[str, dict[str, Any]]) -> None:
    run = render(settings, templates=True)
    assert run.failures == {}
    autoscaled = next(run.objects[host] for host, set_ in settings.items() if set_.get("dispatcher_replicas") == "")
    assert "HorizontalPodAutoscaler/agentsmith-dispatcher" in autoscaled
    assert "replicas" not in autoscaled["Deployment/agentsmith-dispatcher"]["spec"]
