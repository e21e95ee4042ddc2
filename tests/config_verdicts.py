# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the check of agentsmith.yml with recorded verdicts of the real app, and prints a table.

A record says how a configuration was made, its text, and whether the app (be4bffa1) loaded it and ran `fix` and `list`
up to the network. The whole recording is too large for the repository; a sample lies beside the tests.

    export PYTHONPATH=.collections:tools
    python tests/config_verdicts.py [FILE]

FILE is by default $AGENTSMITH_CONFIG_VERDICTS, the recording beside the checkout, or the sample.
"""

from __future__ import annotations

import base64
import collections
import json
import lzma
import os
import sys
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.addresses import (
    Addresses,
    azure_place,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import Report, examine
from json_schema import json_schema

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests/unit/plugins/plugin_utils/agentsmith_config/verdicts.jsonl.xz"
_BESIDE = ROOT.parent / "shared/config-verdicts/verdicts.jsonl.xz"

AGREE, WRONG_PASS, WRONG_REFUSAL = "agree", "wrong pass", "wrong refusal"
POLICY, MEANING, LIMIT = "refused by policy", "refused for meaning", "refused by a limit of the check"
SETTABLE, ARTEFACT = "accepted: the deployment sets the variable", "accepted: the recording lacks the image's files"
UNDECIDED = "accepted with a warning: undecided by the recording's stand-ins for SDKs and for Git's transport"
OUTCOMES = (AGREE, WRONG_PASS, WRONG_REFUSAL, POLICY, MEANING, LIMIT, SETTABLE, ARTEFACT, UNDECIDED)

MEANINGS = {
    "wrong_address": "the app asks another address than is written",
    "placeholder": "the app takes `${NAME}` literally",
    "model_name": "the provider refuses the first request: no model, or one of another provider",
    "out_of_range": "the provider refuses the first request, or the app divides by zero after it",
    "retry_wait": "a wait after the retries that were recorded cannot be computed",
}
"""Codes of errors about configurations that run up to the end of the recording, with what happens after it."""
LIMITS = {
    "encoding": "a ConfigMap holds UTF-8 only",
    "too_deep": "hundreds of levels under keys that the app ignores",
    "yaml": "`: x` as the last line of the document",
}
_AZURE_SOURCE, _JIRA_FIELDS = "organizationUrl=", "?fields=summary,description,status"
UNDECIDEDS = {
    "escaped_twice": "Azure DevOps or GitLab may have no project of the escaped name",
    "name": "Azure DevOps may have no project of that name",
    "query_ignored": "the clone of an address with a query or a fragment was not carried out",
    "ssh": "the clone over ssh was not carried out",
}
"""Codes of warnings about what neither the recording nor the check can decide."""
_KINDS = ("tickets", "clone", "pull_requests")
_STAGES = {"FetchTicket": 1, "CheckoutSource": 2}
"""Where a run can end, with the number of addresses that it got to before."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SETTABLE = ("JIRA_URL", "GITLAB_PROJECT", "GITLAB_URL")
_IN_THE_IMAGE = "/app/config/coding-principles.md"


def asked(recorded: dict[str, Any], azure: bool) -> dict[str, str]:
    """The addresses of one record: of the ticket, of the clone, and of the pull request, as far as the app got."""
    found: dict[str, str] = {}
    for method, address in (request.split(" ", 1) for request in recorded["requests"]):
        if azure and "%7C" in address:
            # What was handed to the shim of Azure DevOps: the address of an organization, and names
            organization, _, names = address.rpartition("%7C")
            if names != "items":
                name = "pull_requests" if "%2F" in names and _AZURE_SOURCE in (recorded["source"] or "") else "tickets"
                parts = names.split("%2F") if name == "pull_requests" else [names]
                found[name] = azure_place(organization, *map(urllib.parse.unquote, parts))
        elif address.endswith(("/pulls", "/merge_requests")):
            found["pull_requests"] = address
        elif method == "GET" and not address.endswith("/transitions"):
            found["tickets"] = address.removesuffix(_JIRA_FIELDS)
    if recorded["source"]:
        found["clone"] = recorded["source"].partition(" cloneUrl=")[2]
    return found


def compare(record: dict[str, Any], report: Report) -> list[tuple[str, str | None, str | None]]:
    """Addresses of a record: which one, what the app asked, what the check says."""
    compared: list[tuple[str, str | None, str | None]] = []
    failed = "" if record["works"] else record["failure"][0]["stage"]
    reached = next((number for stage, number in _STAGES.items() if stage in failed), len(_KINDS))
    for name, recorded in record["asks"].items():
        seen = asked(recorded, "azure" in record["group"])
        said = next((it for it in report.addresses if it.project == name), Addresses(name, None, None, None))
        compared += [(which, seen.get(which), getattr(said, which)) for which in _KINDS[:reached]]
    return compared


def refused_by_schema(record: dict[str, Any], report: Report, validator: jsonschema.Draft202012Validator) -> str | None:
    """Why the JSON Schema refuses a configuration that the check accepts; None if it does not."""
    if report.errors or report.policies:
        return None
    source = source_of(record)
    # A schema sees data without tags; the parser of an editor need not read all that the app's does.
    if isinstance(source, str) and "!" in source:
        return None
    try:
        data = _as_json(yaml.load(source, Loader=_LOADER), {})  # noqa: S506 - a safe one
        return next((f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)), None)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        return None


def _as_json(value: Any, written: dict[int, Any]) -> Any:
    """What a file of JSON would hold. What aliases share stays shared: written out, a document can fill the memory."""
    if not isinstance(value, (dict, list)):
        return json.loads(json.dumps(value))
    if id(value) not in written:
        if isinstance(value, list):
            written[id(value)] = [_as_json(item, written) for item in value]
        else:
            pairs = ((next(iter(json.loads(json.dumps({key: 0})))), item) for key, item in value.items())
            written[id(value)] = {key: _as_json(item, written) for key, item in pairs}
    return written[id(value)]


@dataclass
class Table:
    """Counts by outcome and reason, and the records that must not be."""

    counts: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    addresses: collections.Counter[bool] = field(default_factory=collections.Counter)
    refused_by_schema: list[str] = field(default_factory=list)
    wrong: list[tuple[str, dict[str, Any], Report]] = field(default_factory=list)

    def __str__(self) -> str:
        outcomes: collections.Counter[str] = collections.Counter()
        for (outcome, _), count in self.counts.items():
            outcomes[outcome] += count
        lines = [f"{sum(outcomes.values()):7}  configurations"]
        for outcome in OUTCOMES:
            lines.append(f"{outcomes[outcome]:7}  {outcome}")
            reasons = sorted(
                (reason, count) for (kind, reason), count in self.counts.items() if kind == outcome and reason
            )
            lines += [f"{count:16}  {reason}" for reason, count in reasons]
        lines += [f"{self.addresses.total():7}  addresses compared", f"{self.addresses[True]:7}  addresses alike"]
        lines.append(f"{len(self.refused_by_schema):7}  accepted by the check and refused by the JSON Schema")
        return "\n".join(lines)


def records(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, one JSON document a line, compressed with xz."""
    with lzma.open(file, "rt") as lines:
        for line in lines:
            yield json.loads(line)


def source_of(record: dict[str, Any]) -> str | bytes:
    """The configuration."""
    return record["text"] if "text" in record else base64.b64decode(record["base64"])


def judge(record: dict[str, Any], report: Report) -> tuple[str, str]:
    """Outcome and reason for one record."""
    errors = {finding.code for finding in report.errors}
    if not record["works"]:
        return _judge_failing(record, report, bool(errors))
    if not errors:
        policies = sorted({finding.code for finding in report.policies})
        if policies:
            return POLICY, ", ".join(policies)
        undecided = sorted({finding.code for finding in report.warnings} & set(UNDECIDEDS))
        return (UNDECIDED, f"{undecided[0]}: {UNDECIDEDS[undecided[0]]}") if undecided else (AGREE, "")
    for outcome, reasons in ((MEANING, MEANINGS), (LIMIT, LIMITS)):
        if errors <= set(reasons):
            first = sorted(errors)[0]
            return outcome, f"{first}: {reasons[first]}"
    return WRONG_REFUSAL, ", ".join(sorted(errors))


def _judge_failing(record: dict[str, Any], report: Report, refused: bool) -> tuple[str, str]:
    if refused:
        return AGREE, ""
    messages = [failure["message"] for failure in record["failure"]]
    warned = {finding.code for finding in report.warnings}
    for variable in _SETTABLE:
        if all(f"variable '{variable}' is not set" in message for message in messages) and "missing_variable" in warned:
            return SETTABLE, variable
    if all(message.endswith(f"not found: {_IN_THE_IMAGE}") for message in messages):
        return ARTEFACT, _IN_THE_IMAGE
    return WRONG_PASS, messages[0][:60]


def measure(recorded: Iterable[dict[str, Any]]) -> Table:
    """Check every record."""
    table = Table()
    validator = jsonschema.Draft202012Validator(json_schema())
    for record in recorded:
        report = examine(source_of(record))
        if refusal := refused_by_schema(record, report, validator):
            table.refused_by_schema.append(f"{record['change'][:80]!r}: {refusal}")
        outcome, reason = judge(record, report)
        table.counts[outcome, reason] += 1
        if "asks" in record:
            table.addresses.update(seen == said for _, seen, said in compare(record, report))
        if outcome in (WRONG_PASS, WRONG_REFUSAL):
            table.wrong.append((outcome, record, report))
    return table


def default_file() -> Path:
    """The whole recording if there is one, else the sample."""
    if named := os.environ.get("AGENTSMITH_CONFIG_VERDICTS"):
        return Path(named)
    return _BESIDE if _BESIDE.exists() else SAMPLE


def main(arguments: list[str]) -> int:
    """Print the table and the first wrong records."""
    table = measure(records(Path(arguments[0]) if arguments else default_file()))
    sys.stdout.write(f"{table}\n")
    for outcome, record, report in table.wrong[:40]:
        findings = "; ".join(f"{finding.severity} {finding.code}" for finding in report.findings)
        sys.stdout.write(f"{outcome}: {record['group']}: {record['change'][:100]!r}: {findings}\n")
    for refusal in table.refused_by_schema[:40]:
        sys.stdout.write(f"JSON Schema: {refusal}\n")
    return 1 if table.wrong or table.addresses[False] or table.refused_by_schema else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
