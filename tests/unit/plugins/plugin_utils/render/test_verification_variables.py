# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role verify, checked before anything is changed: by its own spec and checks, and no stricter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.part import ROLES
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.template_engine import RenderError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.verification_variables import (
    SET_BY_PLAYBOOKS,
    check_verification_variables,
)
from jinja_engine import JinjaEngine, Locked

FIRST_LINE = "The variables of the role verify are not usable for the target dev; nothing was changed."
CHECKS = ["redis", "redis_ping", "public"]


def check(**variables: Any) -> None:
    roles_own = yaml.safe_load((ROLES / "verify/vars/main.yml").read_text())["__verify_checks"]
    standard = {"inventory_hostname": "dev", "verify_only": [], "verify_url": "", "__verify_checks": roles_own}
    check_verification_variables(JinjaEngine(Path("/nonexistent"), standard | variables), lambda: CHECKS, print)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"verify_url": "", "verify_timeout": 0},
        {"verify_url": "http://localhost:30080", "verify_timeout": "120"},
        {"verify_url": "https://[::1]:8443/behind/a/proxy"},
        {"verify_require_network_policy": "yes"},
        {"verify_only": ["redis_ping", "public"]},
        {"verify_only": "redis,public"},
        # Nothing that a deploy uses, so the file may lie on another machine
        {"verify_public_ca_file": "/nonexistent/authority.pem"},
        # The playbook says it
        {"verify_app": "no release", "verify_transaction": "{{ undefined_until_later }}"},
    ],
    ids=str,
)
def test_usable(variables: dict[str, Any]) -> None:
    check(**variables)


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"verify_timeout": "soon"}, "argument 'verify_timeout' is of type str"),
        ({"verify_timeout": "{{ 1 + undefined_variable }}"}, "verify_timeout"),
        ({"verify_timeout": Locked("prod")}, "verify_timeout"),
        ({"verify_url": "localhost:30080"}, "verify_url is 'localhost:30080'. Allowed: an https:// or http:// address"),
        ({"verify_require_network_policy": "maybe"}, "argument 'verify_require_network_policy' is of type str"),
        ({"verify_end_to_end_timeout": "long"}, "argument 'verify_end_to_end_timeout' is of type str"),
        ({"verify_only": ["redis", "rediss"]}, "verify_only has rediss. Allowed: redis, redis_ping, public."),
        ({"verify_only": "redis,rediss"}, "verify_only has rediss. Allowed: redis, redis_ping, public."),
        ({"verify_only": {"redis": True}}, "verify_only has {'redis': True}. Allowed: redis, redis_ping, public."),
    ],
)
def test_unusable(variables: dict[str, Any], fault: str) -> None:
    with pytest.raises(RenderError) as raised:
        check(**variables)
    first, *faults = str(raised.value).splitlines()
    assert first == FIRST_LINE
    assert len(faults) == 1 and faults[0].startswith(f"- {fault}"), faults


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RenderError, match="verify_url is 'x'") as raised:
        check(verify_url="x", verify_only=["y"])
    assert "verify_only has y" in str(raised.value)


def test_what_a_playbook_sets_is_an_option_of_the_role() -> None:
    spec = yaml.safe_load((ROLES / "verify/meta/argument_specs.yml").read_text())["argument_specs"]
    assert {*SET_BY_PLAYBOOKS} <= {*spec["main"]["options"]}
