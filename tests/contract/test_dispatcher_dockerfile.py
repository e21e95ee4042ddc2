# SPDX-License-Identifier: GPL-3.0-or-later
"""The health check of docker/dispatcher/Dockerfile, on a Dispatcher that answers and on one that does not."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from slack_request import SlackSender

DOCKERFILE = Path(__file__).parents[2] / "docker/dispatcher/Dockerfile"


@pytest.fixture(scope="module")
def healthcheck() -> list[str]:
    """The command, as Docker reads it."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return json.loads(re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", text, re.MULTILINE)[1])


def exit_code(healthcheck: list[str], url: str) -> int:
    return subprocess.run(healthcheck, env={"ASPNETCORE_URLS": url, "PATH": "/usr/bin:/bin"}, timeout=10).returncode


def test_healthy_where_the_dispatcher_answers(healthcheck, dispatcher: SlackSender):
    assert exit_code(healthcheck, dispatcher.url) == 0


def test_unhealthy_where_nothing_listens(healthcheck, free_port: int):
    assert exit_code(healthcheck, f"http://+:{free_port}") != 0


def test_unhealthy_where_the_answer_is_an_error(healthcheck, dispatcher: SlackSender):
    elsewhere = [part.replace("/health", "/elsewhere") for part in healthcheck]
    assert exit_code(elsewhere, dispatcher.url) != 0
