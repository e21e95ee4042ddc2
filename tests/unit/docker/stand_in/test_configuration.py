# SPDX-License-Identifier: GPL-3.0-or-later
"""agentsmith.yml as the app reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from stand_in.configuration import NULL_REFERENCE, Configuration, ConfigurationError, Project, load_configuration

FULL = """\
projects:
  my-project:
    source: {type: GitHub, url: https://example.com}
    tickets: {type: jira, url: https://jira.example.com, project: 007}
    agent: {type: Claude, model: m}
    pipeline: fix-bug
    coding_principles_path: other.md
    unknown: ignored
pipelines:
  fix-bug: {commands: [A, B]}
secrets: {github_token: "${GITHUB_TOKEN}"}
"""


def load(tmp_path: Path, text: str) -> Configuration:
    file = tmp_path / "agentsmith.yml"
    file.write_text(text)
    return load_configuration(str(file))


def test_a_full_file(tmp_path: Path) -> None:
    configuration = load(tmp_path, FULL)
    # Texts stay as they are written: 007 is no number.
    project = Project(
        "GitHub",
        "jira",
        "https://jira.example.com",
        "007",
        "Claude",
        "fix-bug",
        coding_principles_path="other.md",
        source_url="https://example.com",
    )
    assert configuration.projects == {"my-project": project}
    assert configuration.pipelines == {"fix-bug": ("A", "B")}
    assert configuration.digest == hashlib.sha256(FULL.encode()).hexdigest()


@pytest.mark.parametrize("text", ["{}", "other: 1", "projects: {}\npipelines: {}"])
def test_nothing_is_required(tmp_path: Path, text: str) -> None:
    configuration = load(tmp_path, text)
    assert (configuration.projects, configuration.pipelines) == ({}, {})


def test_a_project_without_anything(tmp_path: Path) -> None:
    assert load(tmp_path, "projects: {p: {}}").projects == {"p": Project()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Configuration file is empty."),
        ("null", "Configuration file is empty."),
        ("projects:", NULL_REFERENCE),
        ("projects: {p: ~}", NULL_REFERENCE),
        ("pipelines: null", NULL_REFERENCE),
        ("secrets:", NULL_REFERENCE),
    ],
)
def test_nulls(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "projects: [",
        "a: b: c",
        "[]",
        "text",
        "projects: []",
        "projects: {p: {source: GitHub}}",
        "projects: {p: {pipeline: [a]}}",
        "pipelines: {p: {commands: A}}",
        "pipelines: {p: {commands: [{}]}}",
        "\x00",
    ],
)
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="Invalid YAML in .*agentsmith.yml: "):
        load(tmp_path, text)


def test_a_missing_file() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration("config/none.yml")
    assert str(caught.value) == "Configuration file not found: config/none.yml"
