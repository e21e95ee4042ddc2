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
            self._look(path, "file")

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            self._sample()

    def _sample(self) -> None:
        self.samples += 1
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid() and _runs_on_this_machine(process):
                for part in ("cmdline", "environ"):
                    self._look(process / part, f"{part} of process")
        for path in self._changed_files(self._directories):
            self._look(path, "file")

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

    def _look(self, path: Path, what: str) -> None:
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE)
        except OSError:
            return
        if any(needle in content for needle in self._needles):
            shown = path.parent.name if what != "file" else path
            self.found.add(f"{what} {shown}")


def _runs_on_this_machine(process: Path) -> bool:
    """Whether a process is one of ours: those of the kind node's pods, which get secrets as the app asks, are not."""
    try:
        return (process / "ns/pid").readlink() == Path("/proc/self/ns/pid").readlink()
    except OSError:
        return False
