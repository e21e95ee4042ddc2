# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of agentsmith.yml as the result of a task: of the module config_check, and of the part config."""

import os.path
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..agentsmith_config.check import Report, examine
from ..agentsmith_config.document import MAX_BYTES
from ..agentsmith_config.finding import WARNING, Finding
from ..agentsmith_config.releases import BE4BFFA1, RELEASES
from ..text.counted import counted
from .shapes import SHAPES, misfits
from .template_engine import RenderError, TemplateEngine


def check_configuration(
    engine: TemplateEngine,
    *,
    config: object = None,
    file: str | None = None,
    app: object = BE4BFFA1.name,
    allow: Collection[str] = (),
    fail_on_warnings: bool = False,
) -> dict[str, Any]:
    """Return what the module config_check returns; `failed` and `msg` are in it if the app cannot work with the file.

    :param config: the configuration as a dictionary; without it `file` is read
    :param app: the release of the app that reads it
    :param allow: the policies that are switched off
    :raises RenderError: there is no such release, or the file cannot be read
    """
    for fault in misfits("the option app (agentsmith_app; config_app of the role config)", app, SHAPES["app"].pattern):
        raise RenderError(f"The configuration cannot be checked: {fault}. Allowed: {SHAPES['app'].allowed}.")
    release = RELEASES[str(app)]
    if file is None:
        report = examine(config, origin_of=engine.origin_of, allow=allow, release=release)
    else:
        file = str(Path(os.path.expandvars(file)).expanduser())
        report = examine(_read(engine, file), file, allow=allow, release=release)
    return _result(report, fail_on_warnings, "" if release is BE4BFFA1 else f" for the app {release.name}")


def _read(engine: TemplateEngine, file: str) -> bytes:
    """The file's bytes; no more of it than the check accepts."""
    try:
        with engine.find("files", file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise RenderError(
            f"The configuration {file} (option file; config_file of the role config) cannot be read: {reason}."
        ) from None


def _result(report: Report, fail_on_warnings: bool, reader: str) -> dict[str, Any]:
    errors, policies, warnings = report.errors, report.policies, report.warnings
    result: dict[str, Any] = {
        "changed": False,
        "verdict": report.verdict,
        "findings": [finding.as_dict() for finding in report.findings],
        "error_count": len(errors),
        "policy_count": len(policies),
        "warning_count": len(warnings),
        "addresses": [addresses.as_dict() for addresses in report.addresses],
        "required_secrets": [secret.as_dict() for secret in report.required_secrets],
    }
    failures = [finding for finding in report.findings if fail_on_warnings or finding.severity != WARNING]
    if failures:
        result["failed"] = True
        found = f"agentsmith.yml has {_numbers_of(errors, policies, warnings)}{reader}:"
        result["msg"] = "\n".join((found, *map(str, failures)))
    if warnings and not (failures and fail_on_warnings):
        result["warnings"] = _in_groups(warnings)
    return result


def _numbers_of(errors: list[Finding], policies: list[Finding], warnings: list[Finding]) -> str:
    nouns = (
        (len(errors), "error", "errors"),
        (len(policies), "refusal by policy", "refusals by policy"),
        (len(warnings), "warning", "warnings"),
    )
    return " and ".join(counted(number, one, several) for number, one, several in nouns if number)


def _in_groups(warnings: list[Finding]) -> list[str]:
    """One text for the same warning about many projects: Ansible prints each of them."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for warning in warnings:
        groups.setdefault((warning.code, warning.message), []).append(warning)
    texts = []
    for found in groups.values():
        others = f" (and in {counted(len(found) - 1, 'more place')})" if len(found) > 1 else ""
        texts.append(f"{found[0]}{others}")
    return texts
