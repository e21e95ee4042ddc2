# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook imports and compiles, in all its processes. A callback plugin has Python report it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# What the finder of compiled modules itself needs: it cannot come from the cache.
OF_THE_CACHE = 4
# What only some tasks need, and is large
CLIENTS = ("kubernetes", "websocket")
REPORTER = """
import os
import sys

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_NAME = "reporter"
    CALLBACK_TYPE = "aggregate"


def report(event, arguments):
    if event == "import":
        os.write(FILE, f"import {arguments[0]}\\n".encode())
    elif event == "compile":
        os.write(FILE, f"compile {os.path.realpath(arguments[1] or '')}\\n".encode())


FILE = os.open(os.environ["REPORT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
sys.addaudithook(report)
"""


class LoadReport:
    """The report of one run after the other. It needs a directory of its own.

    :param cache: where the runs keep what is compiled.
    """

    def __init__(self, directory: Path, cache: Path) -> None:
        (directory / "reporter.py").write_text(REPORTER)
        self._file = directory / "report"
        self.environment = {
            "XDG_CACHE_HOME": str(cache),
            "ANSIBLE_CALLBACK_PLUGINS": str(directory),
            "ANSIBLE_CALLBACKS_ENABLED": "reporter",
            "REPORT": str(self._file),
        }

    def forget(self) -> None:
        """Begin anew."""
        self._file.unlink(missing_ok=True)

    def counts(self) -> Counter[str]:
        """Return what was done, by kind: `imports of clients`, `compiled modules` of this collection."""
        lines = self._file.read_text().splitlines()
        return Counter(kind for line in lines if (kind := _kind(*line.split(maxsplit=1))))


def _kind(event: str, name: str) -> str:
    if event == "import":
        return "imports of clients" if name.partition(".")[0] in CLIENTS else ""
    plugins = REPOSITORY / "plugins"
    return "compiled modules" if name.startswith((f"{plugins}/plugin_utils/", f"{plugins}/modules/")) else ""
