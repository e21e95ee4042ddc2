# SPDX-License-Identifier: GPL-3.0-or-later
"""What the history gets of a command line: the names of extra variables and the tags."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.utils import vars as ansible_vars
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.transaction_options import origin_of


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the options of the command line, as ansible-playbook does."""
    monkeypatch.setattr(ansible_vars.load_extra_vars, "extra_vars", {}, raising=False)

    def set_options(**options: Any) -> None:
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict({"tags": ("all",), "skip_tags": (), **options}))

    return set_options


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (("redis_image=canary:1 agentsmith_reason=OPS-1", '{"a": {"b": "canary"}}'), ["redis_image", "a"]),
        ((), []),
    ],
)
def test_extra_variables_are_named(command_line: Any, given: tuple[str, ...], names: list[str]) -> None:
    command_line(extra_vars=given)
    origin = origin_of({"reason": "OPS-1"}, {"inventory_dir": "/inventories/prod"})
    assert (origin.reason, origin.inventory) == ("OPS-1", "/inventories/prod")
    assert origin.extra_variables == names and "canary" not in str(origin)
    assert (origin.tags, origin.skip_tags) == ((), ())


def test_a_file_gives_its_names_alone(command_line: Any, tmp_path: Any) -> None:
    file = tmp_path / "canary.yml"
    file.write_text("redis_password: canary\n", encoding="utf-8")
    command_line(extra_vars=(f"@{file}",), tags=("redis", "quota"), skip_tags=("rbac",))
    origin = origin_of({"reason": ""}, None)
    assert origin.extra_variables == ["redis_password"] and "canary" not in str(origin)
    assert (origin.tags, origin.skip_tags) == (("redis", "quota"), ("rbac",))
