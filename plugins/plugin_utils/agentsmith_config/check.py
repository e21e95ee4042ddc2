# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the app's configuration `agentsmith.yml`.

The app loads any YAML, ignores keys that it does not know and fails at the first `list` or `fix`, in Slack. These rules
find that before anything is deployed, all at once. They import nothing but PyYAML, and never raise, whatever they read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .document import Document, Origin, from_data, from_text, unknown_origin
from .finding import ERROR, Finding, Findings
from .pipelines import check_pipelines
from .projects import check_projects
from .reader import ShapeReader
from .secrets import RequiredSecret, required_by


@dataclass(frozen=True)
class Report:
    """Everything that the check has to say about one document."""

    findings: list[Finding]
    required_secrets: list[RequiredSecret]

    @property
    def errors(self) -> list[Finding]:
        """The findings that the app cannot work with."""
        return [finding for finding in self.findings if finding.severity == ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that the app ignores or that will surprise."""
        return [finding for finding in self.findings if finding.severity != ERROR]


def examine(
    document: object,
    file: str | None = None,
    origin_of: Callable[[object], Origin | None] = unknown_origin,
) -> Report:
    """Check a document and find out which secrets it needs.

    Args:
        document: YAML as str or bytes, or plain data (a dict as YAML gives it).
        file: name of the file that the text came from, for the findings.
        origin_of: for plain data: tells where a key or value was written, if anybody knows.
    """
    if isinstance(document, str | bytes):
        return _examine(from_text(document, file), Origin(file, 1, 1))
    return _examine(from_data(document, origin_of), origin_of(document) or Origin())


def check(document: object, file: str | None = None) -> list[Finding]:
    """The findings of `examine`."""
    return examine(document, file).findings


def _examine(document: Document, start: Origin) -> Report:
    findings = Findings()
    for problem in document.problems:
        findings.error(problem.code, "", problem.message, problem.origin)
    if document.root is None:
        if not document.problems:
            message = "is empty: the app refuses it; it needs `projects` and `pipelines`"
            findings.error("empty", "", message, start)
        return Report(findings.in_order(), [])

    root = ShapeReader(findings).read(document.root)
    if root.data is None:
        return Report(findings.in_order(), [])
    projects, pipelines = root.get("projects"), root.get("pipelines")
    if projects is not None and projects.usable:
        check_projects(projects, pipelines, findings)
    if pipelines is not None and pipelines.usable:
        check_pipelines(pipelines, findings)
    return Report(findings.in_order(), required_by(root))
