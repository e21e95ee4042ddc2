# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the Dispatcher under test, which build_under_test.py chooses, and its Redis."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice

import pytest
from background_process import BackgroundProcess
from build_under_test import STAND_IN, Build, Surroundings, dispatcher_build

SIGNING_SECRET = f"signing-{secrets.token_hex(8)}"
REDIS_PASSWORD = f"redis-{secrets.token_hex(8)}"
LOWEST_PORT = 10_000
PORTS_OF_A_PROCESS = 1_000
"""Sixteen processes stay below 32768, where Linux begins to give out ports, and below the NodePorts of Kubernetes."""


@contextmanager
def started_processes() -> Iterator[list[BackgroundProcess]]:
    """Yield a list for started programs: in the end they are gone, and none has written a secret."""
    started: list[BackgroundProcess] = []
    try:
        yield started
    finally:
        for process in started:
            process.kill()
    for process in started:
        assert SIGNING_SECRET not in process.output
        assert REDIS_PASSWORD not in process.output


def start_redis_server(started: list[BackgroundProcess], port: int, password: str = "") -> BackgroundProcess:
    """Start redis-server on a port of 127.0.0.1 and wait until it answers."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not on PATH: install it, on Debian with 'apt-get install redis-server'.")
    # Its configuration goes through stdin, so that the password is in no process list and no file.
    configuration = f'bind 127.0.0.1\nport {port}\nsave ""\nappendonly no\n'
    if password:
        configuration += f"requirepass {password}\n"
    process = BackgroundProcess([program, "-"], stdin=configuration)
    started.append(process)
    process.expect("Ready to accept connections")
    return process


def start_dispatcher_process(
    started: list[BackgroundProcess],
    around: Surroundings | None = None,
    build: Build | None = None,
    **environment: str,
) -> BackgroundProcess:
    """Start a Dispatcher on a port of its choice with further environment variables; do not wait."""
    variables = {"ASPNETCORE_URLS": "http://127.0.0.1:0", "SLACK_SIGNING_SECRET": SIGNING_SECRET} | environment
    process = (build or dispatcher_build()).start([], variables, around or Surroundings(STAND_IN))
    started.append(process)
    return process


def listening_url(process: BackgroundProcess) -> str:
    """Wait until a Dispatcher listens and return where."""
    return process.expect(r"Now listening on: (http://\S+)")[1]


def find_free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, and that nothing takes before its program listens.

    It is below those that the kernel gives to connections and to whoever asks for any, and each process of pytest has
    ports of its own.
    """
    for port in islice(_PORTS, PORTS_OF_A_PROCESS):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise RuntimeError("none of the ports of this process is free")


def _ports_of_this_process() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = LOWEST_PORT + worker * PORTS_OF_A_PROCESS
    # From a place of its own: another checkout may run the same tests.
    start = secrets.randbelow(PORTS_OF_A_PROCESS)
    yield from (first + (start + step) % PORTS_OF_A_PROCESS for step in count())


_PORTS = _ports_of_this_process()
