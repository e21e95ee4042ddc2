# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks programs of the machine something short."""

import os
import subprocess
from typing import NamedTuple


class LocalClusterError(Exception):
    """A failure with a message for the user: what is wrong, what is allowed, what to do."""


class Answer(NamedTuple):
    """What a command said. `status` is its exit status, 127 if there is no such command, 124 if it took too long."""

    status: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """The last line of its error output, for a message."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit status {self.status}"


def ask(
    argv: list[str], *, environment: dict[str, str] | None = None, stdin: bytes = b"", timeout: float = 20.0
) -> Answer:
    """Run `argv` with `environment` added, for at most `timeout` seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - the callers' own fixed commands
            argv,
            env={**os.environ, **(environment or {})},
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        return Answer(127, "", f"{argv[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"no answer within {timeout:g} s")
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
