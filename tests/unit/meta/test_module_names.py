# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and pages of the modules tell what somebody who installed the collection may call (docs/decisions/0068-…)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from plugin_pages import documentation

CHECKOUT = Path(__file__).resolve().parents[3]
PLUGINS = [
    file
    for kind in ("callback", "filter", "lookup", "modules")
    for file in sorted((CHECKOUT / "plugins" / kind).glob("*.py"))
]
INTERNAL = "agentsmith.platform.control_node.internal"
READ_ONLY = "agentsmith.platform.control_node.read_only"
# They fail if what they find is bad, or send what they were given
JUDGE_OR_SEND = {"config_check", "slack_event", "verify_release"}
# Where people look for what to call
FOR_USERS = [CHECKOUT / "README.md", *(CHECKOUT / "docs/how-to").glob("*.md"), *CHECKOUT.glob("roles/*/README.md")]


def pages() -> dict[str, dict]:
    return {plugin.stem: documentation(plugin) for plugin in (CHECKOUT / "plugins/modules").glob("*.py")}


def fragments(page: dict) -> list[str]:
    return page.get("extends_documentation_fragment", [])


def test_what_only_asks_ends_in_info() -> None:
    asks = {name for name, page in pages().items() if READ_ONLY in fragments(page) and INTERNAL not in fragments(page)}
    assert {name for name in asks if not name.endswith("_info")} == JUDGE_OR_SEND
    assert {name for name in pages() if name.endswith("_info")} <= asks


def test_the_list_of_modules_shows_which_are_internal() -> None:
    internal = {name for name, page in pages().items() if INTERNAL in fragments(page)}
    assert {"commit_release", "restore_release", "write_manifests"} <= internal
    assert {name for name, page in pages().items() if page["short_description"].endswith(" (internal)")} == internal


@pytest.mark.parametrize("text", FOR_USERS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_page_for_users_calls_an_internal_module(text: Path) -> None:
    internal = {name for name, page in pages().items() if INTERNAL in fragments(page)}
    assert not internal & set(re.findall(r"\w+", text.read_text()))


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_nothing_claims_to_be_older_than_the_first_published_version(plugin: Path) -> None:
    def versions(page: object) -> list[str]:
        if isinstance(page, list):
            return [found for entry in page for found in versions(entry)]
        if not isinstance(page, dict):
            return []
        own = [str(page["version_added"])] if isinstance(page.get("version_added"), str | float) else []
        return own + [found for entry in page.values() for found in versions(entry)]

    found = versions(documentation(plugin))
    assert found
    assert all(tuple(map(int, version.split("."))) >= (1, 0, 0) for version in found)
