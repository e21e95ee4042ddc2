# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: looks for marked values where a running deployment could leave them on this machine.

While it runs it samples the arguments and environments of all processes and the files that appear or change below the
directories that temporary files go to.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

PAUSE = 0.02  # seconds between two samples
OUR_PROCESSES = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
LARGEST_FILE = 4 * 1024 * 1024  # bytes; nothing that Ansible writes for a task comes near


class LeakWatch:
    """`with LeakWatch(spellings, directories) as watch: …`, then `watch.found`: where a spelling was seen.

    :param spellings: every form of every marked value.
    :param directories: small ones, where files are looked at all the time, with all that is below.
    :param afterwards: large ones, where what is new or changed is looked at once, at the end.
    """

    def __init__(self, spellings: Iterable[str], directories: Iterable[Path], afterwards: Iterable[Path] = ()) -> None:
        self._needles = [spelling.encode() for spelling in spellings]
        self._directories = list(directories)
        self._afterwards = list(afterwards)
        self._started = time.time()
        self._seen: dict[Path, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._left_out = {str(os.getpid())}
        self.found: set[str] = set()
        self.samples = 0

    def __enter__(self) -> LeakWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()
        for path in self._changed_files(self._afterwards):
            self._look(path, f"file {path}")

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            self._sample()

    def _sample(self) -> None:
        self.samples += 1
        processes = {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 - a third of Path's time
        # Most are asked for once: those of the kind node, and the kernel's
        self._left_out &= processes
        self._left_out |= {name for name in processes - self._left_out if not _runs_on_this_machine(name)}
        for name in processes - self._left_out:
            for part in ("cmdline", "environ"):
                self._look(f"/proc/{name}/{part}", f"{part} of process {name}")
        for path in self._changed_files(self._directories):
            self._look(path, f"file {path}")

    def _changed_files(self, directories: Iterable[Path]) -> Iterator[Path]:
        for directory in directories:
            for root, _names, files in os.walk(directory):
                for name in files:
                    path = Path(root, name)
                    try:
                        state = path.lstat()
                    except OSError:
                        continue  # gone between the listing and the look
                    version = (state.st_mtime_ns, state.st_size)
                    if state.st_mtime >= self._started - 1 and self._seen.get(path) != version:
                        self._seen[path] = version
                        yield path

    def _look(self, path: Path | str, what: str) -> None:
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                content = file.read(LARGEST_FILE)
        except OSError:
            return
        if any(needle in content for needle in self._needles):
            self.found.add(what)


def _runs_on_this_machine(process: str) -> bool:
    """Whether a process is one of ours: those of the kind node's pods, which get secrets as the app asks, are not.

    The kernel's, which run no program, and those that have ended have no arguments either.
    """
    try:
        os.readlink(f"/proc/{process}/exe")  # noqa: PTH115 - as above
        return os.readlink(f"/proc/{process}/ns/pid") == OUR_PROCESSES  # noqa: PTH115
    except OSError:
        return False
