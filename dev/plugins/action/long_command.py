# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.long_command; documented in plugins/modules/long_command.py."""

import os
import queue
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options

display = Display()

# Seconds between two lines of progress
INTERVAL = 15.0
# Lines that are kept for the result and for the message of a failure
KEPT_LINES = 30
# Columns of the last output line that are shown
_WIDTH = 100

OPTIONS = documented_options(__name__)


def duration(seconds: float) -> str:
    """Return `seconds` as people write it: `4.2 s`, `43 s`, `4 min 3 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class ActionModule(ControlNodeAction):
    """Runs a command in a child process of the worker."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the command unless `creates` or check mode say otherwise."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        creates = options["creates"]
        if creates and Path(creates).exists():
            return {"changed": False, "msg": f"Did not run the command: {creates} exists"}
        if self._task.check_mode:
            return {"changed": bool(creates), "skipped": not creates, "msg": "Not run in check mode"}
        return self._run(options)

    def _run(self, options: dict[str, Any]) -> dict[str, Any]:
        title = self._task.name or Path(options["argv"][0]).name
        secret = bool(self._task.no_log)
        started = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603 - running what the playbook says is what this is for
                options["argv"],
                cwd=options["chdir"],
                env={**os.environ, **{name: str(value) for name, value in options["environment"].items()}},
                stdin=subprocess.PIPE if options["stdin"] is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            return {"failed": True, "msg": f"{title}: {options['argv'][0]} cannot be started: {error}"}
        try:
            output = self._follow(process, options["stdin"], title, started, secret)
        finally:
            # Also on Ctrl-C: nothing goes on by itself when the playbook has stopped.
            if process.poll() is None:
                process.terminate()
        seconds = time.monotonic() - started
        result = {"changed": True, "rc": process.returncode, "seconds": round(seconds, 1)}
        if process.returncode:
            last = "" if secret else ". Its last output:\n" + "\n".join(output)
            message = f"{title}: exit status {process.returncode} after {duration(seconds)}{last}"
            return {**result, "failed": True, "msg": message}
        display.display(f"{title}: took {duration(seconds)}")
        return {**result, "output": [] if secret else list(output)}

    def _follow(
        self, process: subprocess.Popen[str], stdin: str | None, title: str, started: float, secret: bool
    ) -> deque[str]:
        """Feed `stdin`, show progress until the process ends, and return its last lines."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None  # noqa: S101 - given to Popen above
            for line in process.stdout:
                lines.put(line.rstrip())
            lines.put(None)

        def write() -> None:
            assert process.stdin is not None  # noqa: S101 - given to Popen above
            # A command that ends without reading its input shows that in its exit status.
            try:
                process.stdin.write(stdin or "")
                process.stdin.close()
            except BrokenPipeError:
                pass

        threading.Thread(target=read, daemon=True).start()
        if stdin is not None:
            threading.Thread(target=write, daemon=True).start()

        output: deque[str] = deque(maxlen=KEPT_LINES)
        shown = started
        while True:
            try:
                line = lines.get(timeout=max(0.0, shown + INTERVAL - time.monotonic()))
            except queue.Empty:
                shown = time.monotonic()
                last = f": {output[-1][:_WIDTH]}" if output and not secret else ""
                display.display(f"{title}: {duration(shown - started)}{last}")
                continue
            if line is None:
                process.wait()
                return output
            if line:
                output.append(line)
