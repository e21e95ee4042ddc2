# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the app's configuration `agentsmith.yml`.

The app ignores keys that it does not know and fails at the first `list` or `fix`, often without a word in Slack. These
rules find that before anything is deployed, all at once. They import nothing but PyYAML, and never raise, whatever they
read.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from .addresses import Addresses
from .document import Document, Origin, from_data, from_text, unknown_origin
from .finding import ERROR, POLICY, WARNING, Finding, Findings, join_path
from .pipelines import check_unused
from .projects import check_projects
from .reader import ShapeReader, Value
from .releases import BE4BFFA1, Release
from .schema import Key
from .secrets import RequiredSecret, required_by
from .values import missing


@dataclass(frozen=True)
class Report:
    """Everything that the check has to say about one document."""

    findings: list[Finding]
    required_secrets: list[RequiredSecret]
    addresses: list[Addresses] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """What the release makes of the document: `refused`, `misread` (works otherwise than is written) or `works`."""
        if self.errors:
            return "refused"
        return "misread" if any(finding.code == "misread" for finding in self.findings) else "works"

    @property
    def errors(self) -> list[Finding]:
        """What the app fails on, or works on differently from what is written."""
        return [finding for finding in self.findings if finding.severity == ERROR]

    @property
    def policies(self) -> list[Finding]:
        """What the app works with, and is refused until it is allowed."""
        return [finding for finding in self.findings if finding.severity == POLICY]

    @property
    def warnings(self) -> list[Finding]:
        """What works, but differently than one may think."""
        return [finding for finding in self.findings if finding.severity == WARNING]


def examine(
    document: object,
    file: str | None = None,
    origin_of: Callable[[object], Origin | None] = unknown_origin,
    allow: Collection[str] = (),
    release: Release = BE4BFFA1,
) -> Report:
    """Check a document and find out which secrets it needs.

    Args:
        document: YAML as str or bytes, or plain data (a dict as YAML gives it).
        file: name of the file that the text came from, for the findings.
        origin_of: for plain data: tells where a key or value was written, if anybody knows.
        allow: names out of `finding.POLICIES` that are switched off.
        release: which release of the app reads the document.
    """
    findings = Findings(allow)
    if isinstance(document, str | bytes):
        return _examine(from_text(document, file), Origin(file, 1, 1), findings, release)
    return _examine(from_data(document, origin_of), origin_of(document) or Origin(), findings, release)


def check(document: object, file: str | None = None) -> list[Finding]:
    """The findings of `examine`."""
    return examine(document, file).findings


def _examine(document: Document, start: Origin, findings: Findings, release: Release) -> Report:
    for problem in document.problems:
        report = findings.error if problem.fatal else findings.warning
        report(problem.code, "", problem.message, problem.origin)
    root = None if document.root is None else ShapeReader(findings).read(document.root, release.root)
    if root is None or root.is_null:
        if not any(problem.fatal for problem in document.problems):
            needed = " and ".join(f"`{name}`" for name, key in release.root.keys.items() if key.required)
            message = f"is empty: the app refuses it; it needs {needed}"
            findings.error("empty", "", message, start)
        return Report(findings.in_order(), [])
    if root.data is None:
        return Report(findings.in_order(), [])
    for name, key in release.root.keys.items():
        _check_section(root, name, key, findings)
    projects, pipelines = root.get("projects"), root.get("pipelines")
    addresses = []
    if projects is not None and projects.data is not None:
        addresses = check_projects(projects, pipelines, findings, release)
    if pipelines is not None and pipelines.usable and pipelines.data is not None:
        check_unused(pipelines, projects, findings)
    return Report(findings.in_order(), required_by(root), addresses)


def _check_section(root: Value, name: str, key: Key, findings: Findings) -> None:
    section = root.get(name)
    if section is None and key.required:
        missing(root, name, key, findings)
    elif section is not None and section.usable and section.is_null:
        message = "has no value (null): the app fails with a NullReferenceException; give a mapping"
        findings.error(
            "null", join_path(root.path, name), f"{message}{'' if key.required else ', or remove it'}", section.node
        )
