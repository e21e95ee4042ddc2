# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures around the builds under test, see build_under_test.py, and which tests hold for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from background_process import BackgroundProcess
from build_under_test import (
    AGENT,
    DISPATCHER,
    STAND_IN,
    BuildError,
    StandIn,
    Surroundings,
    agent_build,
    dispatcher_build,
)
from dispatcher_under_test import (
    SIGNING_SECRET,
    find_free_port,
    listening_url,
    start_dispatcher_process,
    start_redis_server,
    started_processes,
)
from known_differences import KNOWN_DIFFERENCES
from slack_request import SlackSender
from stand_in_platform import Platform, running_platform

BUILDS = {"dispatcher": DISPATCHER, "agent": AGENT}
DIFFERENCES = "AGENTSMITH_DIFFERENCES"
"""`none` where a build has to pass all tests, known differences too: the stand-in, run as a real build."""


def pytest_configure() -> None:
    """Refuse builds that cannot be started, before every test fails because of it."""
    try:
        dispatcher_build()
        agent_build()
    except BuildError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header() -> list[str]:
    """Say what is under test."""
    return [f"{part} under test: {os.environ.get(variable) or 'the stand-in'}" for part, variable in BUILDS.items()]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot hold for the builds under test, and expect what they are known to do otherwise."""
    real = {part: bool(os.environ.get(variable)) for part, variable in BUILDS.items()}
    for item in items:
        if real["dispatcher"] and (marker := item.get_closest_marker("stand_in_only")):
            item.add_marker(pytest.mark.skip(reason=f"stand-in only: {marker.args[0]}"))
        if not real["agent"] and (marker := item.get_closest_marker("real_agent_only")):
            item.add_marker(pytest.mark.skip(reason=f"AGENT is not given: {marker.args[0]}"))
        if os.environ.get(DIFFERENCES) == "none":
            continue
        for known in KNOWN_DIFFERENCES:
            its_agent = known.part == "agent" and item.get_closest_marker("stand_in_agent")
            if real[known.part] and not its_agent and known.is_about(f"{item.path.name}::{item.name}"):
                item.add_marker(pytest.mark.xfail(reason=known.reason, strict=True))


@pytest.fixture
def processes() -> Iterator[list[BackgroundProcess]]:
    """Programs that a test has started: at its end they are gone, and none has written a secret."""
    with started_processes() as started:
        yield started


@pytest.fixture
def start_redis(processes: list[BackgroundProcess]) -> Callable[..., BackgroundProcess]:
    """Starts redis-server on a port and waits until it answers."""
    return partial(start_redis_server, processes)


@pytest.fixture
def start_dispatcher(processes: list[BackgroundProcess]) -> Callable[..., BackgroundProcess]:
    """Starts a Dispatcher on a port of its choice; keywords are further environment variables."""

    def start(directory: Path = STAND_IN, **environment: str) -> BackgroundProcess:
        return start_dispatcher_process(processes, Surroundings(directory), **environment)

    return start


@pytest.fixture
def free_port() -> int:
    """A TCP port that nothing listens on."""
    return find_free_port()


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[SlackSender]:
    """A running Dispatcher that knows the secret it is sent requests with."""
    url = os.environ.get("DISPATCHER_URL")
    if url:
        secret = os.environ.get("SLACK_SIGNING_SECRET")
        if not secret:
            pytest.fail("DISPATCHER_URL is set: set SLACK_SIGNING_SECRET to the signing secret of that Dispatcher too.")
        yield SlackSender(url, secret)
        return
    with started_processes() as started:
        port = find_free_port()
        start_redis_server(started, port)
        process = start_dispatcher_process(started, REDIS_URL=f"127.0.0.1:{port}")
        yield SlackSender(listening_url(process), SIGNING_SECRET)


@pytest.fixture
def platform(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The stand-in's Slack, the Dispatcher and the agent under test, a real Redis and a fake Kubernetes API."""
    agent = StandIn() if request.node.get_closest_marker("stand_in_agent") else None
    with running_platform(tmp_path, agent) as running:
        yield running
