# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs. Those that are compared run in turn, so that what else the machine does meets all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIGURES = ("wall s", "processor s", "peak MiB")


@dataclass(frozen=True)
class Command:
    """A command. Its output goes to a file, which is shown when it fails.

    ``namespaces``: those that it deploys to.
    """

    name: str
    arguments: Sequence[str | Path]
    directory: Path
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    namespaces: Sequence[str] = ()

    def run(self, *more: str) -> tuple[float, ...]:
        """Run it to its end; return the figures.

        Processor seconds include all processes that it starts; the peak is that of the largest one.
        """
        with self.output.open("w", encoding="utf-8") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                [*self.arguments, *more],
                cwd=self.directory,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.name}: exit code {process.returncode}\n{self.text}")
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024

    @property
    def text(self) -> str:
        """What it printed in its last run."""
        return self.output.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Spread:
    """The median of some runs, and the extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up."""
        return cls(statistics.median(values), min(values), max(values))


def interleaved(
    commands: Callable[[int], Sequence[Command]], runs: int, run: Callable[[Command], tuple[float, ...]] = Command.run
) -> dict[str, list[tuple[float, ...]]]:
    """Run commands in turn, *runs* times; return the figures of each, by its name.

    :param commands: returns those of a round, by its number.
    """
    found: dict[str, list[tuple[float, ...]]] = {}
    for number in range(runs):
        for command in commands(number):
            found.setdefault(command.name, []).append(run(command))
    return found
