# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that exist, the documented choices and the parts that the role takes from --tags are the same."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.agentsmith.platform.plugins.modules import verify_release
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.checks import CHECKS, PARTS

REPOSITORY = Path(__file__).parents[5]


def test_documented_choices() -> None:
    option = yaml.safe_load(verify_release.DOCUMENTATION)["options"]["only"]
    assert option["choices"] == [*PARTS, "end_to_end", *CHECKS]
    for name in (*PARTS, *CHECKS):
        assert f"V({name})" in "".join(option["description"])


def test_parts_of_the_role() -> None:
    variables = yaml.safe_load((REPOSITORY / "roles/verify/vars/main.yml").read_text())
    assert sorted(variables["__verify_parts"]) == sorted(PARTS)
