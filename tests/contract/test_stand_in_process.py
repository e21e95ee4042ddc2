# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the stand-in does: it says what it is, and its log is safe to show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from background_process import BackgroundProcess
from build_under_test import DISPATCHER, STAND_IN
from dispatcher_under_test import SIGNING_SECRET, listening_url
from slack_request import SlackSender

Start = Callable[..., BackgroundProcess]


@pytest.fixture(autouse=True)
def the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the stand-in, also where the others are held against a real build."""
    monkeypatch.delenv(DISPATCHER, raising=False)


def test_its_first_words_are_that_it_is_a_stand_in(start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL="")
    process.wait()
    assert process.output.startswith(
        "STAND-IN: this is test equipment in place of the Agent Smith Dispatcher be4bffa1."
    )


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


def test_a_message_outside_of_a_cluster_is_dropped(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port)
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port}")
    sender = SlackSender(listening_url(process), SIGNING_SECRET)
    event = {"type": "message", "text": "help", "user": "U1", "channel": "C1\nfake: line\ud800"}
    assert sender.event({"type": "event_callback", "event": event}).status == 200
    assert sender.event('{"broken"').status == 500
    process.expect("Fire-and-forget dispatch failed")
    process.expect("not JSON at character 9 at /slack/events")
    # Nobody can write a line of the log, nor end the program by a character that has no encoding.
    assert not any(line.startswith("fake") for line in process.output.splitlines())


def test_a_version_that_nobody_knows_is_refused(start_dispatcher: Start) -> None:
    process = start_dispatcher(STAND_IN_APP="1.0")
    assert process.wait() == 134
    assert "STAND_IN_APP: '1.0' is none of be4bffa1, 0.9.2" in process.output


def test_a_log_level_that_is_none_ends_it(start_dispatcher: Start) -> None:
    process = start_dispatcher(Logging__LogLevel__Default="Loud")
    assert process.wait() == 134
    assert "Configuration value 'Loud' for category 'Default' is not supported" in process.output


def test_json_begins_after_the_banner(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port)
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port}", Logging__Console__FormatterName="json")
    entry = json.loads(process.expect('.*"Application started.*')[0])
    assert (entry["LogLevel"], entry["Category"]) == ("Information", "Microsoft.Hosting.Lifetime")
    # As in the app, what is written before there is a host stays plain.
    assert "warn: Startup[0]\n      Kubernetes not available" in process.output


def test_it_runs_without_writing_a_file(tmp_path: Path, start_dispatcher: Start) -> None:
    # Other tests import the program, and may leave bytecode beside it
    program = tmp_path / "stand-in"
    shutil.copytree(STAND_IN, program, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(program.rglob("*"))
    # The last one as docker/stand-in/Dockerfile sets it
    environment = {"PYTHONPATH": str(program), "REDIS_URL": "", "PYTHONDONTWRITEBYTECODE": "1"}
    start_dispatcher(directory=program, **environment).wait()
    assert sorted(program.rglob("*")) == before
