# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels, messages and buttons of the stand-in Slack."""

from __future__ import annotations

import asyncio

import pytest
from stand_in.slack import workspace as module
from stand_in.slack.buttons import pressed_button
from stand_in.slack.workspace import Message, Workspace, WorkspaceError


@pytest.fixture
def workspace() -> Workspace:
    """A new one."""
    return Workspace()


def test_a_channel_can_be_added(workspace: Workspace) -> None:
    channel = workspace.add_channel("team_2-b")
    assert workspace.channel(channel.id) is channel
    assert channel in workspace.channels


@pytest.mark.parametrize(
    ("name", "error"),
    [("agent-smith", "name_taken"), *((name, "invalid_name") for name in ("", "Big", "a b", "a" * 81, None, 1))],
)
def test_a_wrong_channel_name(workspace: Workspace, name: object, error: str) -> None:
    with pytest.raises(WorkspaceError, match=error):
        workspace.add_channel(name)


@pytest.mark.parametrize("channel_id", ["C0NONE", "", None, [], {}])
def test_an_unknown_channel(workspace: Workspace, channel_id: object) -> None:
    with pytest.raises(WorkspaceError, match="channel_not_found"):
        workspace.channel(channel_id)


def test_timestamps_never_repeat(workspace: Workspace) -> None:
    timestamps = [workspace.next_ts() for _ in range(1000)]
    assert timestamps == sorted(set(timestamps))


def test_the_oldest_messages_go_first(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    channel = workspace.channels[0]
    for number in range(5):
        workspace.post(channel, Message(str(number), "U", "text"))
    assert list(channel.messages) == ["2", "3", "4"]


def test_channels_do_not_grow_for_ever(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHANNELS", 3)
    workspace.add_channel("third")
    with pytest.raises(WorkspaceError, match="too_many_channels"):
        workspace.add_channel("fourth")


def test_watchers_hear_of_changes_until_the_end(workspace: Workspace) -> None:
    async def watch() -> list[object]:
        with workspace.watching() as queue:
            workspace.post(workspace.channels[0], Message("1.0", "U", "text"))
            workspace.stop_watching()
            return [queue.get_nowait(), queue.get_nowait()]

    message = {"type": "message", "ts": "1.0", "user": "U", "text": "text"}
    assert asyncio.run(watch()) == [{"channel_id": "C0AGENTSMITH", "message": message}, None]


def test_a_pressed_button_has_its_block() -> None:
    elements = [{"action_id": "q:yes", "value": "yes"}, {"action_id": "q:no", "value": "no"}]
    blocks = [{"type": "section"}, "other", {"type": "actions", "block_id": "q", "elements": elements}]
    action = pressed_button(Message("1.0", "U", "text", blocks=blocks), "q:no")
    assert action.pop("action_ts")
    assert action == {"action_id": "q:no", "value": "no", "block_id": "q"}


@pytest.mark.parametrize("action_id", ["q:maybe", None, 1])
def test_a_button_that_is_not_there(action_id: object) -> None:
    blocks = [{"elements": [{"action_id": "q:yes"}]}]
    with pytest.raises(WorkspaceError, match="action_not_found"):
        pressed_button(Message("1.0", "U", "text", blocks=blocks), action_id)
