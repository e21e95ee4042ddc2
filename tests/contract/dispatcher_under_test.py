# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the Dispatcher under test, which build_under_test.py chooses, and its Redis."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from background_process import BackgroundProcess
from build_under_test import STAND_IN, Build, Surroundings, dispatcher_build

SIGNING_SECRET = f"signing-{secrets.token_hex(8)}"
REDIS_PASSWORD = f"redis-{secrets.token_hex(8)}"


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
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
