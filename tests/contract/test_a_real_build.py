# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in which a real build is tested, tried without one.

The stand-in and an agent of a few lines run as real builds: they find slack.com, GitHub and the model by their public
names, and a service account at its fixed path.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from build_under_test import AGENT, DISPATCHER, STAND_IN, STAND_IN_COMMAND
from conftest import DIFFERENCES

HERE = Path(__file__).parent
STAND_IN_AS_DISPATCHER = shlex.join(
    ["env", "STAND_IN_SLACK_API_URL=https://slack.com/api", f"PYTHONPATH={STAND_IN}", *STAND_IN_COMMAND]
)
INDEPENDENT_AGENT = shlex.join([sys.executable, str(HERE / "independent_agent.py")])


def report_of(tests: list[str], **variables: str) -> str:
    """Run tests with further environment variables, and return what pytest says."""
    others = ("PYTEST_", "AGENTSMITH_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += [f"{HERE}/{test}" for test in tests]
    # The ports of a process that the run around this one does not have
    variables["PYTEST_XDIST_WORKER"] = "gw15"
    return subprocess.run(command, env=environment | variables, capture_output=True, text=True).stdout


def outcomes(report: str) -> dict[str, int]:
    """Return how many tests there were of each outcome."""
    (summary,) = re.findall(r"^=+ (.+) in [0-9.]+s", report, re.MULTILINE)
    return {outcome: int(number) for number, outcome in re.findall(r"(\d+) (\w+)", summary)}


def test_a_dispatcher_and_an_agent_run_as_real_builds() -> None:
    tests = [
        "test_a_whole_fix.py::test_a_ticket_is_fixed_from_the_message_to_the_pull_request",
        "test_dispatcher_kubernetes.py::test_a_token_that_is_renewed_is_used",
        "test_dispatcher_process.py::test_the_redis_password_is_used",
    ]
    builds = {DISPATCHER: STAND_IN_AS_DISPATCHER, AGENT: INDEPENDENT_AGENT, DIFFERENCES: "none"}
    report = report_of(tests, **builds)
    assert outcomes(report) == {"passed": 3}, report


def test_a_difference_that_is_known_has_to_be_there() -> None:
    # The first one is on the list, and the stand-in passes it.
    tests = [
        "test_conversation.py::test_the_password_of_a_url_is_not_shown",
        "test_conversation.py::test_the_ttl_of_jobs_can_be_shortened",
        "test_a_whole_fix.py::test_two_tickets_are_fixed_one_after_the_other",
    ]
    report = report_of(tests, **{DISPATCHER: STAND_IN_AS_DISPATCHER})
    assert outcomes(report) == {"failed": 1, "skipped": 2}, report
    assert "[XPASS(strict)]" in report
