# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in Slack's page in a real browser, used as a person would."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from awaiting import await_condition
from background_process import BackgroundProcess
from chromium import Chromium, running_chromium
from dispatcher_under_test import listening_url
from recording_dispatcher import RecordingDispatcher
from slack_person import CHANNEL
from slack_request import request
from stand_in_platform import BOT_TOKEN, Platform, start_slack

pytestmark = pytest.mark.stand_in_agent("the page is shown a question, and steps that take half a second each")

WATCH_STEPS = r"""
    var steps = [];
    new MutationObserver(() => {
        const step = document.querySelector("#messages").innerText.match(/\[\d\/9\]/)?.[0];
        if (step && !steps.includes(step)) steps.push(step);
    }).observe(document.querySelector("#messages"), { childList: true, subtree: true });
"""
ENTER, TAB = ("Enter", 13, "\r"), ("Tab", 9)


@pytest.fixture
def page(platform: Platform, tmp_path: Path) -> Iterator[Chromium]:
    """The page, connected and without an error."""
    with running_chromium(tmp_path / "profile") as browser:
        browser.open(platform.person.url)
        await_condition(lambda: "connected" in texts(browser, "#connection"))
        yield browser


def texts(page: Chromium, selector: str) -> list[str]:
    """Return the texts of all elements that a CSS selector finds."""
    return page.evaluate(f"[...document.querySelectorAll('{selector}')].map((e) => e.innerText)")


def say(page: Chromium, text: str) -> None:
    page.click("textbox", "Message")
    page.type(text)
    page.click("button", "Send")


def last_message(page: Chromium) -> str:
    return (texts(page, ".message .body") or [""])[-1]


def pressed(dispatcher: RecordingDispatcher) -> dict[str, object]:
    """Return the button that the Dispatcher is told of next."""
    path, body = dispatcher.next_request()
    assert path == "/slack/interact"
    (action,) = json.loads(parse_qs(body.decode())["payload"][0])["actions"]
    assert action.pop("action_ts")
    return action


def test_a_conversation_with_a_question(page: Chromium, platform: Platform, tmp_path: Path) -> None:
    page.evaluate(WATCH_STEPS)
    say(page, "fix #101 in agent-smith-test")
    page.await_node("button", "Yes ✅")
    # Each of them was to be seen, one after the other, in one message.
    assert page.evaluate("steps") == [f"[{step}/9]" for step in range(1, 7)]
    assert texts(page, ".message .body")[1] == "🚀 Starting Agent Smith for ticket #101 in agent-smith-test..."
    # Where README and docs get their picture from.
    file = Path(os.environ.get("STAND_IN_SCREENSHOT", tmp_path / "page.png"))
    page.screenshot(file)
    assert file.read_bytes().startswith(b"\x89PNG")
    page.click("button", "Yes ✅")
    await_condition(lambda: "Answered: yes" in last_message(page))
    assert page.find("button", "Yes ✅") is None
    await_condition(lambda: "Done! Pipeline completed successfully" in last_message(page))
    bodies = texts(page, ".message .body")
    assert len(bodies) == 5
    assert bodies[2] == "🚀 [9/9] Creating pull request\n[██████████░] 9/9"
    assert texts(page, "#text") == [""]
    assert platform.agents[0].wait() == 0
    assert page.faults == []


def test_it_can_be_used_with_the_keyboard_alone(page: Chromium) -> None:
    page.press(*TAB)
    page.press(*ENTER)
    assert page.evaluate("document.activeElement.id") == "text"
    page.type("list tickets in short")
    page.press(*ENTER)
    await_condition(lambda: last_message(page) == "✅ No open tickets found in short.")


def test_an_example_can_be_taken(page: Chromium) -> None:
    page.click("button", "fix #54 in agent-smith-test")
    page.press(*ENTER)
    await_condition(lambda: "Starting Agent Smith for ticket #54" in last_message(page))


def test_channels_are_apart(page: Chromium, platform: Platform) -> None:
    page.click("textbox", "New channel")
    page.type("team-two")
    page.click("button", "Add")
    await_condition(lambda: texts(page, "#channel-title") == ["# team-two"])
    platform.person.say("hello elsewhere")
    await_condition(lambda: texts(page, "button.unread") == ["# agent-smith"])
    assert texts(page, ".message") == []
    page.click("button", "# agent-smith unread")
    await_condition(lambda: "hello elsewhere" in texts(page, ".message .body"))
    assert texts(page, "button.unread") == []


def test_a_wrong_channel_name_is_refused_with_words(page: Chromium) -> None:
    page.click("textbox", "New channel")
    page.type("agent-smith")
    page.click("button", "Add")
    await_condition(lambda: texts(page, "#problem") == ["This did not work: name_taken"])


def test_a_message_that_is_not_delivered_says_so(page: Chromium, platform: Platform) -> None:
    platform.dispatcher.kill()
    say(page, "fix #54 in short")
    await_condition(lambda: "Not delivered: the Dispatcher cannot be reached" in "".join(texts(page, ".delivery")))


def test_what_people_write_is_text(page: Chromium) -> None:
    markup = '<img src="x" onerror="document.title=1"> <script>1</script>'
    say(page, markup)
    await_condition(lambda: markup in texts(page, ".message.person .body"))
    assert page.evaluate("document.title") == "Stand-in Slack"
    assert page.evaluate("document.querySelectorAll('#messages img, #messages script').length") == 0


def test_an_error_with_its_reason_and_its_buttons(processes: list[BackgroundProcess], tmp_path: Path) -> None:
    dispatcher = RecordingDispatcher()
    try:
        url = listening_url(start_slack(processes, tmp_path, dispatcher.url))
        buttons = [
            {"text": "Retry", "action_id": "error:retry", "value": "14:myproj", "style": "primary"},
            {"text": "View Logs", "action_id": "error:logs", "url": "http://localhost:9/agentsmith-0123456789ab"},
            {"text": "Contact Owner", "action_id": "error:contact", "value": "U0OWNER"},
            {"text": "Trap", "action_id": "trap", "url": "javascript:document.title=1"},
        ]
        for button in buttons:
            button |= {"type": "button", "text": {"type": "plain_text", "text": button["text"]}}
        reason = ":x: *Agent Smith failed* — ticket *#14* in *myproj*\n*Reason:* Check `your` API tokens, <@U0OWNER>."
        blocks = [
            {"type": "section", "text": {"type": "mrkdwn", "text": reason}},
            {"type": "divider"},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "one"}, {"type": "mrkdwn", "text": "*two*"}]},
            {"type": "actions", "block_id": "error_actions:0123456789ab", "elements": buttons},
        ]
        body = {"channel": CHANNEL, "text": ":x: Agent Smith failed — ticket #14 in myproj", "blocks": blocks}
        headers = {"Authorization": f"Bearer {BOT_TOKEN}", "Content-Type": "application/json"}
        assert request(url, "POST", "/api/chat.postMessage", json.dumps(body).encode(), headers).status == 200
        with running_chromium(tmp_path / "profile") as page:
            page.open(url)
            shown = "❌ Agent Smith failed — ticket #14 in myproj\nReason: Check your API tokens, @U0OWNER."
            await_condition(lambda: texts(page, ".message .body") == [shown, "", "one\ntwo"])
            assert texts(page, ".actions .button") == ["Retry", "View Logs", "Contact Owner", "Trap"]
            link = "(({ href, target, rel }) => [href, target, rel])(document.querySelector('.actions a'))"
            assert page.evaluate(link) == [buttons[1]["url"], "_blank", "noreferrer"]
            for button in (buttons[0], buttons[2], buttons[3]):
                page.click("button", button["text"]["text"])
                assert pressed(dispatcher) == button | {"block_id": "error_actions:0123456789ab"}
            await_condition(lambda: page.evaluate("document.querySelectorAll('button:disabled').length") == 0)
            assert page.evaluate("document.title") == "Stand-in Slack"
            assert texts(page, "#problem") == [""]
            # The last one, because a page behind another one answers no question any more
            page.click("link", "View Logs")
            assert pressed(dispatcher) == buttons[1] | {"block_id": "error_actions:0123456789ab"}
            assert page.faults == []
    finally:
        dispatcher.close()


def test_it_connects_again_after_a_restart(page: Chromium, platform: Platform) -> None:
    say(page, "hello")
    await_condition(lambda: "hello" in texts(page, ".message .body"))
    platform.slack.signal(signal.SIGTERM)
    assert platform.slack.wait() == 0
    await_condition(lambda: texts(page, "#connection") == ["connecting…"])
    platform.start_slack()
    await_condition(lambda: texts(page, "#connection") == ["connected"])
    # Its memory is empty, and so is the page.
    assert texts(page, ".message") == []


def test_it_fits_a_phone(page: Chromium) -> None:
    page.resize(360, 640)
    say(page, "x" * 300)
    await_condition(lambda: len(texts(page, ".message")) >= 1)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.getElementById('text').getBoundingClientRect().bottom") <= 640
