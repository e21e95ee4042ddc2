# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for credentials that fail, hang or say too much. Those that work are compared with kubectl's, elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import exec_plugin, wait_report
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.exec_plugin import credential_of
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ConnectionFailed

V1 = "client.authentication.k8s.io/v1"
GOOD = f'{{"kind": "ExecCredential", "apiVersion": "{V1}", "status": {{"token": "t"}}}}'
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a shell script as the command: `run(script, say=None, **specification)`."""

    def call(script: str, say: Callable[[str], None] | None = None, **specification: Any) -> Any:
        command = tmp_path / "plugin"
        command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        command.chmod(0o755)
        entry = {"apiVersion": V1, "command": str(command), "interactiveMode": "Never", **specification}
        return credential_of(entry, {}, "context c", say)

    return call


def fault(run: Run, script: str, **specification: Any) -> str:
    """Return the message for a command that fails."""
    with pytest.raises(ConnectionFailed) as caught:
        run(script, **specification)
    return str(caught.value)


def is_running(process: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for (Z) does not."""
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text(encoding="utf-8").split()[2] != "Z"


def test_a_command_that_fails_is_quoted(run: Run) -> None:
    message = fault(run, "echo 'The SSO session of profile prod-eu has expired.' >&2; exit 255")
    assert "plugin that gets the credentials of context c failed (exit code 255)" in message
    assert message.endswith(": The SSO session of profile prod-eu has expired.")


@pytest.mark.parametrize(
    "words",
    [
        "token: MARKED",
        "got 'Bearer MARKED'",
        '{"token": "MARKED"}',
        "--client-secret=MARKED",
        "AWS_SESSION_TOKEN=MARKED",
        "password is $CLIENT_SECRET",
        "argument --password $2 refused",
        "eyJhbGciOiJub25lIn0.MARKED.sig",
        "cached k8s-aws-v1.aHR0cHM6Ly9zdHMMARKEDx12",
        "key: -----BEGIN PRIVATE KEY----- MARKED -----END PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize("way", ["fails", "writes nothing", "hangs"])
def test_no_secret_is_quoted(run: Run, words: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_plugin, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(exec_plugin, "LOOK_INTERVAL", 0.2)
    after = {"fails": "exit 1", "writes nothing": "echo '{}'", "hangs": "exec sleep 60"}[way]
    variables = [{"name": "CLIENT_SECRET", "value": "xMARKEDx"}]
    quoted = words.replace("'", "'\\''") if "$" not in words else ""
    script = f"echo 'before {quoted} after' >&2" if quoted else f'echo "before {words} after" >&2'
    message = fault(run, f"{script}; {after}", env=variables, args=["--password", "yMARKEDy"])
    assert "MARKED" not in message
    assert "before" in message
    assert "after" in message or "BEGIN" in words


def test_a_command_that_hangs_is_ended_with_what_it_started(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_plugin, "TIME_LIMIT", 0.6)
    monkeypatch.setattr(exec_plugin, "LOOK_INTERVAL", 0.1)
    monkeypatch.setattr(wait_report, "INTERVAL", 0.1)
    said: list[str] = []
    script = f"echo 'open https://login.test' >&2; sleep 60 & echo $! > {tmp_path}/child; wait"
    started = time.monotonic()
    message = fault(run, script, say=said.append)
    assert time.monotonic() - started < 10
    assert "did not end within 0.6 s and was ended: open https://login.test Run it by hand" in message
    assert "waiting for the command" in said[0]
    assert "it is ended after 0.6 s: open https://login.test" in said[0]
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    while is_running(child) and time.monotonic() - started < 10:
        time.sleep(0.01)
    assert not is_running(child)


def test_a_command_that_leaves_something_running_is_not_waited_for(run: Run) -> None:
    started = time.monotonic()
    assert run(f"sleep 20 & echo '{GOOD}'") == {"token": "t"}
    assert time.monotonic() - started < 15


def test_a_command_that_is_no_program(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    message = fault(run, "", command=str(tmp_path / "text"))
    assert "cannot be started: Permission denied" in message
    assert "cannot be started: No such file" in fault(run, "", command="no-such-command-anywhere")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("command", None, "command is missing"),
        ("args", "one", "args must be a list"),
        ("args", [1], "args must be a list"),
        ("env", [{"value": "x"}], "env must be a list"),
        ("env", [{"name": "A", "value": 1}], "env must be a list"),
        ("interactiveMode", "Sometimes", "interactiveMode must be one of"),
        ("apiVersion", None, "apiVersion must be one of"),
    ],
)
def test_a_specification_with_a_fault(run: Run, field: str, value: Any, words: str) -> None:
    assert words in fault(run, "", **{field: value})


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [("1970-01-01T00:01:00Z", 60.0), ("1970-01-01T02:00:00+01:00", 3600.0), (None, None), ("soon", None)],
)
def test_the_time_at_which_it_expires(timestamp: str | None, seconds: float | None) -> None:
    assert exec_plugin.seconds_of(timestamp) == seconds
