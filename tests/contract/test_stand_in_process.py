# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the stand-in does: it says what it is, and its log is safe to show."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from background_process import BackgroundProcess
from dispatcher_under_test import SIGNING_SECRET, STAND_IN, listening_url
from slack_request import SlackSender

Start = Callable[..., BackgroundProcess]


@pytest.fixture(autouse=True)
def the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the stand-in, also where the others are pointed at another program."""
    monkeypatch.delenv("DISPATCHER_COMMAND", raising=False)


def test_its_first_words_are_that_it_is_a_stand_in(start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL="")
    process.wait()
    assert process.output.splitlines()[1].strip().startswith("STAND-IN: this is test equipment")


def test_it_is_not_in_a_cluster_by_its_variables_alone(
    free_port: int, start_redis: Start, start_dispatcher: Start
) -> None:
    start_redis(free_port)
    process = start_dispatcher(
        REDIS_URL=f"127.0.0.1:{free_port}", KUBERNETES_SERVICE_HOST="10.96.0.1", KUBERNETES_SERVICE_PORT="443"
    )
    listening_url(process)
    assert "Kubernetes not available: /var/run/secrets/kubernetes.io/serviceaccount/token" in process.output
    assert "Kubernetes available" not in process.output


def test_a_message_is_logged_without_its_text(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port)
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port}")
    sender = SlackSender(listening_url(process), SIGNING_SECRET)
    event = {"type": "message", "text": "my token is xoxb-marked", "user": "U1", "channel": "C1\nfake: line\ud800"}
    assert sender.event({"type": "event_callback", "event": event}).status == 200
    assert sender.event('{"token": "xoxb-marked"').status == 500
    process.expect("Message in channel .* dropped: Kubernetes is not available")
    process.expect("unhandled exception .* /slack/events: not JSON")
    assert "xoxb-marked" not in process.output
    assert not any(line.startswith("fake") for line in process.output.splitlines())


def test_it_runs_without_writing_a_file(tmp_path: Path, start_dispatcher: Start) -> None:
    # Other tests import the program, and may leave bytecode beside it
    program = tmp_path / "stand-in"
    shutil.copytree(STAND_IN, program, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(program.rglob("*"))
    start_dispatcher(directory=program, PYTHONPATH=str(program), REDIS_URL="").wait()
    assert sorted(program.rglob("*")) == before
