# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus: each file says itself what is to be found in it.

A finding is expected where a comment says so, on the line where the comment stands:

    type: Gitub  # error at projects.api.source.type: a part of the message

`||` separates several; `# line 3: error at …` speaks about another line, where no comment can stand. The path
`(document)` is the document as such. What is expected and what is found must be the same, no more, no less.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import check, examine
from json_schema import json_schema
from key_table import key_table

HERE = Path(__file__).parent
ROOT = HERE.parents[4]
EXPECTED = re.compile(r"(?:line (?P<line>\d+): )?(?P<severity>error|policy|warning) at (?P<path>\S+): (?P<message>.+)")


def corpus(folder: str) -> list[Path]:
    return sorted((HERE / folder).glob("*.yml"))


def expectations(text: str) -> list[tuple[str, int, str, str]]:
    """Severity, line, path and part of the message of every finding that a file announces."""
    expected = []
    for number, line in enumerate(text.splitlines(), start=1):
        for comment in line.partition("# ")[2].split(" || "):
            if match := EXPECTED.fullmatch(comment.strip()):
                path = "" if match["path"] == "(document)" else match["path"]
                expected.append((match["severity"], int(match["line"] or number), path, match["message"]))
    return expected


def assert_as_announced(file: Path) -> list[tuple[str, int, str, str]]:
    expected = expectations(file.read_text())
    found = check(file.read_bytes(), file.name)
    shown = "\n".join(f"{finding.severity} {finding}" for finding in found)
    assert sorted((f.severity, f.line, f.path) for f in found) == sorted(e[:3] for e in expected), shown
    for severity, line, path, message in expected:
        assert any((f.severity, f.line, f.path) == (severity, line, path) and message in f.message for f in found), (
            f"{line}: {path}: {message!r} is not in\n{shown}"
        )
    assert {finding.file for finding in found} <= {file.name}
    return expected


@pytest.mark.parametrize("file", corpus("invalid"), ids=lambda file: file.stem)
def test_invalid(file: Path) -> None:
    expected = assert_as_announced(file)
    assert any(severity == "error" for severity, *_ in expected)


@pytest.mark.parametrize("file", corpus("policy"), ids=lambda file: file.stem)
def test_policy(file: Path) -> None:
    expected = assert_as_announced(file)
    assert {"policy"} <= {severity for severity, *_ in expected} <= {"policy", "warning"}
    codes = {finding.code for finding in check(file.read_bytes()) if finding.severity == "policy"}
    assert {finding.severity for finding in examine(file.read_bytes(), allow=codes).findings} == {"warning"}
    for finding in check(file.read_bytes()):
        assert finding.severity != "policy" or f"add {finding.code} to config_allow" in finding.message


@pytest.mark.parametrize("file", corpus("warning"), ids=lambda file: file.stem)
def test_warning(file: Path) -> None:
    expected = assert_as_announced(file)
    assert {severity for severity, *_ in expected} == {"warning"}


@pytest.mark.parametrize("file", corpus("valid"), ids=lambda file: file.stem)
def test_valid(file: Path) -> None:
    assert [str(finding) for finding in check(file.read_bytes())] == []


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus("invalid")) >= 60
    assert len(corpus("valid")) >= 8


# A dict has lost duplicate keys, tags and aliases, and what is no YAML never becomes one.
TEXT_ONLY = (
    "alias",
    "control",
    "document-text",
    "duplicate",
    "empty-comments",
    "key",
    "merge",
    "several",
    "tag",
    "vault",
    "yaml",
)


@pytest.mark.parametrize(
    "file",
    [
        file
        for file in (*corpus("invalid"), *corpus("policy"), *corpus("warning"))
        if not file.stem.startswith(TEXT_ONLY)
    ],
    ids=lambda file: file.stem,
)
def test_plain_data_gives_the_same_findings_as_its_text(file: Path) -> None:
    data = yaml.safe_load(file.read_text())
    from_text = {(f.severity, f.code, f.path) for f in check(file.read_text())}
    from_data = check(data)
    assert {(f.severity, f.code, f.path) for f in from_data} == from_text
    assert {f.line for f in from_data} <= {None}


@pytest.mark.parametrize("file", corpus("valid"), ids=lambda file: file.stem)
def test_the_json_schema_accepts_what_is_valid(file: Path) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(file.read_text()))] == []


def test_the_development_inventory_has_no_errors() -> None:
    config = yaml.safe_load((ROOT / "inventories/dev/group_vars/all/config.yml").read_text())["config_agentsmith"]
    report = examine(config)
    assert [str(error) for error in report.errors] == []
    assert [error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(config)] == []
    assert [secret.key for secret in report.required_secrets] == ["anthropic-api-key", "github-token"]


def test_the_published_json_schema_is_up_to_date() -> None:
    published = (ROOT / "docs/agentsmith.schema.json").read_text()
    assert json.loads(published) == json_schema(), "write it anew: see the docstring of json_schema.py"


def test_the_table_of_keys_is_up_to_date() -> None:
    reference = (ROOT / "docs/reference/config-check.md").read_text()
    assert section(reference, "## Keys\n").strip() == key_table().strip(), (
        "write it anew: see the docstring of key_table.py"
    )


def test_each_key_says_who_reads_it_its_limits_and_its_source() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in key_table().splitlines()[2:]]
    assert len(rows) > 50
    for key, by, limits, source, newer in rows:
        assert by and limits and source, key
        assert by != "not read" or newer, f"{key} is read by no release"


def test_every_rule_is_in_the_corpus_and_in_the_reference() -> None:
    too_large, too_deep, latin = b" " * (2**20 + 1), b"[" * 1000, "ä".encode("latin-1")
    files = [file.read_bytes() for folder in ("invalid", "policy", "warning") for file in corpus(folder)]
    found = {(f.severity, f.code) for source in (*files, too_large, too_deep, latin) for f in check(source)}
    reference = (ROOT / "docs/reference/config-check.md").read_text()
    documented = {
        (severity, code)
        for severity in ("error", "policy", "warning")
        for row in re.findall(r"^\| (`.+?) \|", section(reference, f"## {severity.capitalize()}"), flags=re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row)
    }
    assert documented == found


def section(text: str, heading: str) -> str:
    return text.split(heading, 1)[1].split("\n## ", 1)[0]
