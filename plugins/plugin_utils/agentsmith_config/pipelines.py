# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for `pipelines`: commands that exist, in an order in which each finds what it needs."""

from .document import Node
from .finding import Findings, join_path, listing, nearest, quote
from .reader import Value
from .schema import COMMANDS, LATER_COMMANDS

_SAVES, _CHANGES = "CommitAndPRCommand", "AgenticExecuteCommand"


def steps_of(pipeline: Value) -> frozenset[str]:
    """The commands of a pipeline that the app knows."""
    commands = pipeline.get("commands")
    if commands is None or not isinstance(commands.data, list):
        is_known = pipeline.usable and (commands is None or commands.usable)
        return frozenset() if is_known else frozenset(COMMANDS)
    return frozenset(command.data for command in commands.data if command.data in COMMANDS)


def check_unused(pipelines: Value, projects: Value | None, findings: Findings) -> None:
    """The pipelines that no project names: the app looks none of them up."""
    used = {project.text("pipeline") for project in (projects.data or {}).values()} if projects is not None else set()
    for name, pipeline in (pipelines.data or {}).items():
        if name not in used:
            check_commands(pipeline, findings, used=False)


def check_commands(pipeline: Value, findings: Findings, *, used: bool) -> None:
    """Check one pipeline. A fault is an error if a project names it."""
    if not pipeline.usable:
        return
    commands = pipeline.get("commands")
    if pipeline.is_null or (commands is not None and commands.is_null):
        place = commands if commands is not None else pipeline
        message = "has no value (null): every run of it fails with a NullReferenceException; give a list of commands"
        _fault(used, "null", place.path, message, place.node, findings)
    elif commands is None:
        message = "is missing: a run of this pipeline does nothing and reports success; give a list of commands"
        findings.warning("empty", join_path(pipeline.path, "commands"), message, pipeline.place)
    elif isinstance(commands.data, list):
        _check_order(commands, used, findings)


def _fault(used: bool, code: str, path: str, message: str, at: Node, findings: Findings) -> None:
    if used:
        findings.error(code, path, message, at)
    else:
        findings.warning(code, path, f"{message} (no project names this pipeline)", at)


def _check_order(commands: Value, used: bool, findings: Findings) -> None:
    if not commands.data:
        message = "is empty: a run of this pipeline does nothing and reports success"
        findings.warning("empty", commands.path, message, commands.place)
    names = [command.data for command in commands.data]
    done: set[str] = set()
    for command in commands.data:
        if command.is_null:
            message = "has no value (null): the run stops here with an ArgumentNullException; remove the item"
            _fault(used, "null", command.path, message, command.node, findings)
        if not isinstance(command.data, str):
            continue
        name = command.data
        if name not in COMMANDS:
            done.add(_unknown_command(command, name, used, findings))
            continue
        missing = [needed for needed in COMMANDS[name].needs if needed not in done]
        if missing:
            later = [needed for needed in missing if needed in names]
            advice = f"move {listing(later)} up" if later == missing else "add what is missing"
            message = f"{name} needs the result of {listing(missing)} earlier in this pipeline: {advice}"
            _fault(used, "command_order", command.path, message, command.node, findings)
        done.add(name)
    if _CHANGES in done and _SAVES not in done:
        message = f"has no {_SAVES} after {_CHANGES}: what the model changed is lost with the Job's pod"
        findings.warning("work_lost", commands.path, message, commands.place)


def _unknown_command(command: Value, name: str, used: bool, findings: Findings) -> str:
    """Report it; returns the command that was probably meant, so that it is not reported as missing as well."""
    message = f"{quote(name)} is not a command of the app"
    if later := LATER_COMMANDS.get(name):
        message += f": {later}, and this one fails on it; remove it"
    meant = nearest(name, COMMANDS)
    if not later:
        hint = f"; did you mean {quote(meant)}?" if meant else f"; allowed: {listing(COMMANDS)}"
        message += f" (exact case counts){hint}"
    _fault(used, "unknown_command", command.path, message, command.node, findings)
    return meant or name
