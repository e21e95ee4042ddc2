# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview of what the app asks. That the addresses are right, recorded requests show (test_verdicts.py)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import examine

REPOSITORY = {"type": "GitHub", "url": "https://github.com/fjell/lantern"}


def preview(
    source: Any = REPOSITORY, tickets: Any = REPOSITORY, command: str = "CheckoutSourceCommand"
) -> dict[str, Any]:
    project = {"source": source, "tickets": tickets, "agent": {"type": "Claude", "model": "mini"}, "pipeline": "mend"}
    report = examine({"projects": {"lantern": project}, "pipelines": {"mend": {"commands": [command]}}})
    (addresses,) = report.addresses
    return addresses.as_dict()


def test_a_project_that_works() -> None:
    assert preview() == {
        "project": "lantern",
        "tickets": "https://api.github.com/repos/fjell/lantern/issues/1",
        "clone": "https://github.com/fjell/lantern.git",
        "pull_requests": "https://api.github.com/repos/fjell/lantern/pulls",
    }


def test_passwords_and_tokens_are_left_out() -> None:
    token = "ghp_" + "canary" * 6
    shown = str(
        preview(
            source={"type": "GitHub", "url": "https://kari:canary@github.com/fjell/lantern"},
            tickets={"type": "Jira", "url": f"https://kari:canary@fjell.atlassian.net/{token}"},
        )
    )
    assert "fjell" in shown
    assert "canary" not in shown


@pytest.mark.parametrize("value", [None, 5, [], {"type": None}, {"type": "GitHub"}, {"type": "GitHub", "url": []}])
def test_what_cannot_be_read_has_no_address(value: Any) -> None:
    assert set(preview(source=value, tickets=value).values()) == {"lantern", None}


def test_what_no_step_clones_has_no_address() -> None:
    assert preview(command="FetchTicketCommand")["clone"] is None
