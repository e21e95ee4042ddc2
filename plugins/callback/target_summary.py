# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback `target_summary`: how a run over several targets ended, in a line a target."""

DOCUMENTATION = r"""
name: target_summary
type: aggregate
short_description: Says in a line a target how a run over several targets ended
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - At the end of a deploy, rollback, rotation or teardown of several targets it prints a line for each of them. The
    line says whether the target failed, with the first line of the cause, or how many objects were changed.
    In a preview it says how many would be.
  - The last line says how many targets are done, and how long the whole run took.
  - A run over one target prints nothing more.
requirements:
  - It must be enabled, as in the C(ansible.cfg) of this project. There it is
    C(callbacks_enabled = agentsmith.platform.target_summary).
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

from ..plugin_utils.text.counted import counted

# The playbooks that change a target
SUMMED_UP = ("deploy.yml", "rollback.yml", "rotate_secrets.yml", "teardown.yml")


class CallbackModule(CallbackBase):
    """Notes what the tasks of each target say, until the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "agentsmith.platform.target_summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._is_wanted = False
        self._changed = "would be changed" if context.CLIARGS.get("check") else "changed"
        self._causes: dict[str, str] = {}
        self._objects: dict[str, set[tuple[str, str, str]]] = {}

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Note which playbook runs."""
        self._is_wanted = Path(playbook._file_name).name in SUMMED_UP

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note the objects that a task has changed."""
        told = result.result
        objects = told.get("objects") if isinstance(told, Mapping) else None
        if not isinstance(objects, list) or not told.get("changed"):
            return
        changed = [entry for entry in objects if isinstance(entry, Mapping) and entry.get("result") != "unchanged"]
        names = {tuple(str(entry.get(key) or "") for key in ("kind", "namespace", "name")) for entry in changed}
        self._objects.setdefault(result.host.get_name(), set()).update(names)  # type: ignore[arg-type]

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note the cause. The last failure of a target ends it."""
        if not ignore_errors:
            self._causes[result.host.get_name()] = _first_line(result.result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note the cause."""
        self._causes[result.host.get_name()] = _first_line(result.result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print what was noted."""
        targets = sorted(stats.processed)
        if len(targets) < 2 or not self._is_wanted:
            return
        failed = [name for name in targets if stats.failures.get(name) or stats.dark.get(name)]
        self._display.banner("TARGETS")
        for name in targets:
            color = "red" if name in failed else "yellow" if stats.changed.get(name) else "green"
            self._display.display(f"{name}: {self._ending(name, name in failed, stats)}", color=color)
        seconds = time.monotonic() - self._started
        end = f"; failed: {', '.join(failed)}" if failed else ""
        self._display.display(
            f"{len(targets) - len(failed)} of {counted(len(targets), 'target')} done in {seconds:.0f} s{end}"
        )

    def _ending(self, name: str, has_failed: bool, stats: Any) -> str:
        if has_failed:
            return f"failed: {self._causes.get(name, 'see above')}"
        objects = len(self._objects.get(name, ()))
        if objects:
            return f"{counted(objects, 'object')} {self._changed}"
        return self._changed if stats.changed.get(name) else "unchanged"


def _first_line(told: Any) -> str:
    text = str(told.get("msg") or "") if isinstance(told, Mapping) else ""
    return next((line.strip() for line in text.splitlines() if line.strip()), "see above")
