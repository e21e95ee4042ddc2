# SPDX-License-Identifier: GPL-3.0-or-later
"""docker/dispatcher/cast-slack-handlers: mends the source that it knows, refuses any other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docker/dispatcher/cast-slack-handlers"
EVENTS = 'app.MapPost("/slack/events", HandleSlackEventsAsync);'
INTERACT = 'app.MapPost("/slack/interact", HandleSlackInteractAsync);'
EVENTS_CAST = 'app.MapPost("/slack/events", (Delegate)HandleSlackEventsAsync);'
INTERACT_CAST = 'app.MapPost("/slack/interact", (Delegate)HandleSlackInteractAsync);'
COMMANDS = 'app.MapPost("/slack/commands", HandleSlackCommandAsync);'
COMMANDS_CAST = 'app.MapPost("/slack/commands", (Delegate)HandleSlackCommandAsync);'
LAMBDA = 'app.MapPost("/elsewhere", async (HttpContext context) => Results.Ok());'
SLACK_LAMBDA = LAMBDA.replace("/elsewhere", "/slack/commands")
HANDLERS = "static Task<IResult> HandleSlackEventsAsync(HttpContext context) => Task.FromResult(Results.Ok());"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "Endpoints.cs"


def text(*mappings: str) -> str:
    return "\n".join(
        ["static void Map(WebApplication app)", "{", *(f"    {line}" for line in mappings), "}", HANDLERS, ""]
    )


def run(*arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=10)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([EVENTS, INTERACT], [EVENTS_CAST, INTERACT_CAST]),
        ([INTERACT, EVENTS], [INTERACT_CAST, EVENTS_CAST]),
        ([EVENTS + INTERACT], [EVENTS_CAST + INTERACT_CAST]),
        ([EVENTS, INTERACT, LAMBDA], [EVENTS_CAST, INTERACT_CAST, LAMBDA]),
        ([EVENTS, INTERACT, SLACK_LAMBDA], [EVENTS_CAST, INTERACT_CAST, SLACK_LAMBDA]),
    ],
    ids=["as pinned", "in another order", "on one line", "beside a lambda", "beside a lambda of Slack's"],
)
def test_both_handlers_get_their_cast(source, before, after):
    source.write_text(text(*before))
    answer = run(source)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"cast-slack-handlers: {source}: both Slack handlers are cast to Delegate.\n"
    assert source.read_text() == text(*after)


def test_line_ends_of_windows_stay(source):
    source.write_bytes(text(EVENTS, INTERACT).replace("\n", "\r\n").encode())
    assert run(source).returncode == 0
    assert source.read_bytes() == text(EVENTS_CAST, INTERACT_CAST).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "mappings",
    [
        [EVENTS_CAST, INTERACT_CAST],
        [EVENTS_CAST, INTERACT_CAST, COMMANDS_CAST],
        [EVENTS_CAST.replace("Handle", "SlackEvents.Handle"), INTERACT_CAST],
    ],
    ids=["as it mends", "with a slash command", "handler of another class"],
)
def test_a_mended_source_is_left_alone(source, mappings):
    source.write_text(text(*mappings))
    written = source.stat()
    answer = run(source)
    assert (answer.returncode, answer.stderr) == (0, "")
    said = "already mended: both Slack handlers are cast to Delegate. Nothing is changed."
    assert answer.stdout == f"cast-slack-handlers: {source}: {said}\n"
    assert source.read_text() == text(*mappings)
    assert (source.stat().st_ino, source.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_mending_twice_is_mending_once(source):
    source.write_text(text(EVENTS, INTERACT))
    assert [run(source).returncode for _ in range(2)] == [0, 0]
    assert source.read_text() == text(EVENTS_CAST, INTERACT_CAST)


@pytest.mark.parametrize(
    ("mappings", "events", "interact", "without_cast", "casts"),
    [
        ([EVENTS], 1, 0, 1, 0),
        ([INTERACT], 0, 1, 1, 0),
        ([EVENTS, EVENTS], 2, 0, 2, 0),
        ([EVENTS, INTERACT, INTERACT], 1, 2, 3, 0),
        ([EVENTS + EVENTS, INTERACT], 2, 1, 3, 0),
        ([EVENTS, INTERACT_CAST], 1, 0, 1, 1),
        ([EVENTS, INTERACT, COMMANDS], 1, 1, 3, 0),
        ([EVENTS_CAST, INTERACT_CAST, COMMANDS], 0, 0, 1, 2),
        ([EVENTS.replace("HandleSlackEventsAsync", "HandleEvents"), INTERACT], 0, 1, 2, 0),
        ([EVENTS.replace("/slack/events", "/events"), INTERACT], 0, 1, 2, 0),
        ([EVENTS.replace("MapPost", "MapGet"), INTERACT], 0, 1, 1, 0),
        ([LAMBDA], 0, 0, 0, 0),
        ([], 0, 0, 0, 0),
    ],
    ids=[
        "events alone",
        "interact alone",
        "events twice",
        "three",
        "three on two lines",
        "half mended",
        "a third handler without a cast",
        "mended but for a third",
        "another handler",
        "another path",
        "another method",
        "lambda alone",
        "none",
    ],
)
def test_another_text_is_refused(source, mappings, events, interact, without_cast, casts):
    source.write_text(text(*mappings))
    answer = run(source)
    assert (answer.returncode, answer.stdout) == (1, "")
    found, expected, what_to_do, *_ = answer.stderr.splitlines()
    assert found == (
        f"cast-slack-handlers: {source}: found the first text below {events} times, the second one {interact} times; "
        f"{without_cast} handlers have no cast, {casts} of the two have it."
    )
    assert expected.startswith(
        f"Expected: {EVENTS.removeprefix('app.')[:-1]} and {INTERACT.removeprefix('app.')[:-1]}, once each"
    )
    assert "AGENTSMITH_COMMIT=be4bffa1945f26903642f90587cde6c34fe718c8" in what_to_do
    assert source.read_text() == text(*mappings)


def test_a_missing_file_is_named(source):
    answer = run(source)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"cast-slack-handlers: {source}: there is no such file.\nExpected: ")
    assert not source.exists()


def test_without_a_file_it_says_so():
    answer = run()
    assert answer.returncode != 0
    assert "name the C# file that maps the endpoints" in answer.stderr
