# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-node half of agentsmith.platform.config_check; the documentation is in plugins/modules/config_check.py.

An action plugin because the check stands in every deploy: it needs no connection and no file transfer, and takes some
10 ms where a module takes 350.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleFileNotFound

try:
    # Where a value was written. Internal to ansible-core, so the check works without it.
    from ansible._internal._datatag._tags import Origin as AnsibleOrigin
except ImportError:  # pragma: no cover
    AnsibleOrigin = None

from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import Report, examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.document import MAX_BYTES, Origin
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.finding import Finding
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.shapes import SHAPES, misfits

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "config": {"type": "dict"},
    "file": {"type": "path"},
    # Raw, so that a number is told from a text
    "app": {"type": "raw", "default": "be4bffa1"},
    "fail_on_warnings": {"type": "bool", "default": False},
}

_OTHER_RULES = (
    "agentsmith.yml is checked by the rules of be4bffa1, and the app {app} (agentsmith_app) reads it differently: it "
    "has pipelines of its own, asks models for steps that be4bffa1 does not have, and takes the coding principles from "
    "the repository. docs/reference/versions.md says how to write a file that both read."
)


class ActionModule(ControlNodeAction):
    """Checks a configuration; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(
            tmp,
            task_vars,
            ARGUMENT_SPEC,
            mutually_exclusive=[("config", "file")],
            required_one_of=[("config", "file")],
        )
        app = options["app"]
        for fault in misfits(
            "the option app (agentsmith_app; config_app of the role config)", app, SHAPES["app"].pattern
        ):
            raise AnsibleActionFail(f"The configuration cannot be checked: {fault}. Allowed: {SHAPES['app'].allowed}.")
        if options.get("file") is not None:
            file = str(options["file"])
            report = examine(self._read(file), file)
        else:
            report = examine(options["config"], origin_of=_origin_of)
        result = _result(report, options["fail_on_warnings"])
        if app != "be4bffa1":
            result["warnings"] = [_OTHER_RULES.format(app=app), *result.get("warnings", [])]
        return result

    def _read(self, file: str) -> bytes:
        """The file's bytes, searched for where Ansible searches for files; no more of it than the check accepts."""
        try:
            path = self._find_needle("files", file)
            with Path(path).open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except AnsibleFileNotFound:
            reason = "it does not exist"
        except OSError as error:
            reason = str(error.strerror)
        raise AnsibleActionFail(
            f"The configuration {file} (option file; config_file of the role config) cannot be read: {reason}."
        )


def _origin_of(value: object) -> Origin | None:
    """File and line of a variable's value, where Ansible knows them."""
    origin = AnsibleOrigin.get_tag(value) if AnsibleOrigin is not None else None
    if origin is None or origin.path is None:
        return None
    path = Path(origin.path)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return Origin(str(shown), origin.line_num, origin.col_num)


def _result(report: Report, fail_on_warnings: bool) -> dict[str, Any]:
    errors, warnings = report.errors, report.warnings
    result: dict[str, Any] = {
        "changed": False,
        "findings": [finding.as_dict() for finding in report.findings],
        "error_count": len(errors),
        "warning_count": len(warnings),
        "required_secrets": [secret.as_dict() for secret in report.required_secrets],
    }
    failures = report.findings if fail_on_warnings else errors
    if failures:
        result["failed"] = True
        result["msg"] = "\n".join((f"agentsmith.yml has {_counted(errors, warnings)}:", *map(str, failures)))
    if warnings and not (failures and fail_on_warnings):
        result["warnings"] = _in_groups(warnings)
    return result


def _counted(errors: list[Finding], warnings: list[Finding]) -> str:
    numbers = ((len(errors), "error"), (len(warnings), "warning"))
    return " and ".join(f"{number} {noun}{'s' * (number != 1)}" for number, noun in numbers if number)


def _in_groups(warnings: list[Finding]) -> list[str]:
    """One text for the same warning about many projects: Ansible prints each of them."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for warning in warnings:
        groups.setdefault((warning.code, warning.message), []).append(warning)
    texts = []
    for found in groups.values():
        others = f" (and in {len(found) - 1} more places)" if len(found) > 1 else ""
        texts.append(f"{found[0]}{others}")
    return texts
