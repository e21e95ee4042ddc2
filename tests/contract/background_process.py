# SPDX-License-Identifier: GPL-3.0-or-later
"""A program under test in the background, whose output is awaited line by line."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class BackgroundProcess:
    """A started program with stdout and stderr in one stream, as `kubectl logs` shows them."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stdin: str = "",
    ) -> None:
        """Start it. `environment` is added to a bare one, so that the test machine's variables do not matter."""
        self._process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"]} | dict(environment or {}),
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._process.stdin.write(stdin)
        self._process.stdin.close()
        self._lines: list[str] = []
        self._unread: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.append(line)
            self._unread.put(line)
        self._unread.put(None)

    @property
    def output(self) -> str:
        """Everything it has written so far."""
        return "".join(self._lines)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def expect(self, pattern: str, timeout: float = 20.0) -> re.Match[str]:
        """Wait for a line, not seen by an earlier call, that the pattern is found in. Raises AssertionError."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._unread.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line with {pattern!r} within {timeout} s in:\n{self.output}") from None
            if line is None:
                raise AssertionError(f"ended without a line with {pattern!r}:\n{self.output}")
            if match := re.search(pattern, line):
                return match

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for its end and return the exit code. Raises subprocess.TimeoutExpired."""
        code = self._process.wait(timeout)
        self._reader.join()
        return code

    def kill(self) -> None:
        """End it, whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
        self.wait()
        self._process.stdout.close()
