# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the stand-in Slack, from the cluster, in a real browser on this machine."""

from __future__ import annotations

from awaiting import await_condition
from chromium import running_chromium


def test_a_ticket_is_fixed_from_the_page(person, tmp_path):
    with running_chromium(tmp_path / "profile") as page:
        page.open(person.url)
        await_condition(lambda: page.evaluate("document.querySelector('#connection').innerText") == "connected")
        page.click("button", "# another-channel")
        page.click("textbox", "Message")
        page.type("fix #54 in my-project")
        page.click("button", "Send")
        await_condition(lambda: "Done!" in page.evaluate("document.querySelector('#messages').innerText"), timeout=60)
        assert page.faults == []
