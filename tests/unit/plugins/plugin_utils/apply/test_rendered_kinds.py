# SPDX-License-Identifier: GPL-3.0-or-later
"""Prune and teardown look for a fixed list of kinds; every kind that a role can render is on it."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.owned_objects import NAMESPACE, RENDERED_KINDS

ROLES = Path(__file__).resolve().parents[5] / "roles"
PARTS = [tasks.parents[1] for tasks in ROLES.glob("*/tasks/render.yml")]


def test_every_kind_of_a_template_is_looked_for() -> None:
    rendered = set()
    for template in (path for part in PARTS for path in (part / "templates").glob("*.yaml.j2")):
        text = template.read_text(encoding="utf-8")
        (api_version,), (kind,) = (re.findall(rf"^{key}: (.+)$", text, re.MULTILINE) for key in ("apiVersion", "kind"))
        rendered.add((api_version.rpartition("/")[0], kind))
    assert ("apps", "Deployment") in rendered
    assert rendered - RENDERED_KINDS == {NAMESPACE}
