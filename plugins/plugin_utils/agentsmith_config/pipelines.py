# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for `pipelines`: commands that exist, in an order in which each finds what it needs."""

from __future__ import annotations

from .finding import Findings, listing, nearest, quote
from .reader import Value
from .schema import COMMANDS, LATER_COMMANDS

_SAVES, _CHANGES = "CommitAndPRCommand", "AgenticExecuteCommand"


def check_pipelines(pipelines: Value, findings: Findings) -> None:
    """Check every pipeline, used or not."""
    checked: set[int] = set()
    for pipeline in pipelines.data.values():
        commands = pipeline.get("commands")
        # Pipelines that share a list by an alias need one check.
        if commands is None or commands.data is None or id(commands.data) in checked:
            continue
        checked.add(id(commands.data))
        _check_commands(commands, findings)


def _check_commands(commands: Value, findings: Findings) -> None:
    if not commands.data:
        findings.error("empty", commands.path, "is empty: a run would do nothing and report success", commands.place)
    names = [command.data for command in commands.data]
    done: set[str] = set()
    for command in commands.data:
        if not isinstance(command.data, str):
            continue
        name = command.data
        if name not in COMMANDS:
            done.add(_unknown_command(command, name, findings))
            continue
        missing = [needed for needed in COMMANDS[name].needs if needed not in done]
        if missing:
            later = [needed for needed in missing if needed in names]
            advice = f"move {listing(later)} up" if later == missing else "add what is missing"
            message = f"{name} needs the result of {listing(missing)} earlier in this pipeline: {advice}"
            findings.error("command_order", command.path, message, command.node)
        done.add(name)
    if _CHANGES in done and _SAVES not in done:
        message = f"has no {_SAVES} after {_CHANGES}: what the model changed is lost with the Job's pod"
        findings.warning("work_lost", commands.path, message, commands.place)


def _unknown_command(command: Value, name: str, findings: Findings) -> str:
    """Report it; returns the command that was probably meant, so that it is not reported as missing as well."""
    message = f"{quote(name)} is not a command of the app"
    if later := LATER_COMMANDS.get(name):
        message += f": {later}, and this one fails on it; remove it"
    meant = nearest(name, COMMANDS)
    if not later:
        hint = f"; did you mean {quote(meant)}?" if meant else f"; allowed: {listing(COMMANDS)}"
        message += f" (exact case counts){hint}"
    findings.error("unknown_command", command.path, message, command.node)
    return meant or name
