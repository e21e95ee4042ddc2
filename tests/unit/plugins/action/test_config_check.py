# SPDX-License-Identifier: GPL-3.0-or-later
"""agentsmith.platform.config_check as a task: one playbook run, many questions about its results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rendering import WITH_WRITE_JSON

ROOT = Path(__file__).parents[4]
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"

VARIABLES = f"""\
mended: {{projects: {{web: {{pipeline: mend}}}}}}
repository: https://github.com/acme/api
good:
  projects:
    api: &project
      source: {{type: GitHub, url: "{{{{ repository }}}}"}}
      tickets: {{type: GitHub, url: "{{{{ repository }}}}"}}
      agent: {{type: Claude, model: m, pricing: {{models: {{m: {{input_per_million: 3.0}}}}}}}}
      pipeline: fix-bug
    # The same value twice: Ansible writes it out, so it is no alias to the app.
    web: *project
  pipelines:
    fix-bug:
      commands: [FetchTicketCommand]
bad:
  projects:
    api:
      source:
        type: "{{{{ 'Git' ~ 'ub' }}}}"
        url: {TOKEN}
      tickets:
        type: GitHub
        url: "{{{{ repository }}}}.git"
        auth: token
      agent:
        type: Claude
        model: m
        retry:
          max_retries:
      pipeline: fix-bug
    web:
      source: {{type: GitHub, url: "{{{{ repository }}}}", auth: token}}
      tickets: {{type: GitHub, url: "{{{{ repository }}}}", auth: token}}
      agent: {{type: Claude, model: m}}
      pipeline: fix-bug
  pipelines:
    fix-bug:
      commands:
        - FetchTicketCommand
        - CheckoutSourceCommand
        - LoadCodingPrinciplesCommand
        - AnalyzeCodeCommand
        - GeneratePlanCommand
        - AgenticExecuteCommand
        - CommitAndPRCommand
"""

TASKS: dict[str, str] = {
    "good": "config: '{{ good }}'",
    "bad": "config: '{{ bad }}'",
    "built": "config: \"{{ good | combine({'projects': {'api2': good.projects.api}}, recursive=true) }}\"",
    "strict": "{config: \"{{ good | combine({'colour': 'blue'}) }}\", fail_on_warnings: true}",
    "warned": "config: \"{{ good | combine({'colour': 'blue'}) }}\"",
    "file": "file: agentsmith.yml",
    "role_file": "file: subdirectory/agentsmith.yml",
    "no_file": "file: missing.yml",
    "directory": "file: subdirectory",
    "both": "{file: agentsmith.yml, config: '{{ good }}'}",
    "neither": "fail_on_warnings: true",
    "list": "config: [1]",
    "other_app": "{config: '{{ good }}', app: 0.9.2}",
    "refused_by_other_app": "{config: '{{ good | combine(mended, recursive=true) }}', app: 0.9.2}",
    "same_app": "{config: '{{ good }}', app: be4bffa1}",
    "unknown_app": "{config: '{{ good }}', app: 0.10}",
    "undefined": "config: '{{ nothing_of_that_name }}'",
}


@pytest.fixture(scope="module", params=[False, True], ids=["run", "check mode"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Results by the name of the task, and everything that was printed at -vvv."""
    directory = tmp_path_factory.mktemp("project")
    (directory / "group_vars").mkdir()
    (directory / "group_vars" / "all.yml").write_text(VARIABLES)
    target = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (directory / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"target": target}}}))
    (directory / "agentsmith.yml").write_text("projects:\n  api:\n    source: {type: GitHub}\n")
    (directory / "files" / "subdirectory").mkdir(parents=True)
    (directory / "files" / "subdirectory" / "agentsmith.yml").write_text("projects: [\n")
    tasks = "".join(
        f"    - agentsmith.platform.config_check: {options if options.startswith('{') else '{' + options + '}'}\n"
        f"      register: result_{name}\n      ignore_errors: true\n"
        for name, options in TASKS.items()
    )
    results = ", ".join(f"'{name}': result_{name}" for name in TASKS)
    (directory / "play.yml").write_text(
        f"- hosts: target\n  gather_facts: false\n  tasks:\n{tasks}"
        f'    - write_json:\n        dest: {directory}/results.json\n        content: "{{{{ {{{results}}} }}}}"\n'
    )
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.yml", "play.yml", "-vvv"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    finished = subprocess.run(
        command + (["--check"] if request.param else []),
        cwd=directory,
        env={
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
            **WITH_WRITE_JSON,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output
    return json.loads((directory / "results.json").read_text()), output


Run = tuple[dict[str, Any], str]


def test_a_good_configuration_passes(run: Run) -> None:
    result = run[0]["good"]
    assert result["findings"] == []
    assert (result["changed"], result["failed"], result["error_count"], result["warning_count"]) == (False, False, 0, 0)
    assert [secret["key"] for secret in result["required_secrets"]] == ["anthropic-api-key", "github-token"]
    assert result["addresses"][0]["tickets"] == "https://api.github.com/repos/acme/api/issues/1"
    assert result["required_secrets"][1]["reasons"][0] == "projects.api.source.type: GitHub"


def test_findings_name_the_file_and_line_of_the_variable(run: Run) -> None:
    result = run[0]["bad"]
    assert result["failed"] is True
    errors = [(f["file"], f["line"], f["path"]) for f in result["findings"] if f["severity"] != "warning"]
    lines = VARIABLES.splitlines()
    assert sorted((path, lines[line - 1].split(":")[0].strip()) for _, line, path in errors) == [
        ("projects.api.agent.retry.max_retries", "max_retries"),
        ("projects.api.source.type", "type"),
        ("projects.api.source.url", "url"),
        ("projects.api.tickets.url", "url"),
    ]
    assert {file for file, *_ in errors} == {"group_vars/all.yml"}


def test_the_message_lists_all_errors_and_warnings_are_shown_once(run: Run) -> None:
    result = run[0]["bad"]
    first, *others = result["msg"].splitlines()
    assert first == "agentsmith.yml has 3 errors and 1 refusal by policy and 4 warnings:"
    assert len(others) == 4
    assert others[3].startswith("group_vars/all.yml:")
    assert ": projects.api.agent.retry.max_retries: has no value (null)" in others[3]
    assert len([text for text in result["warnings"] if "the app never reads it" in text]) == 1
    assert any("(and in 2 more places)" in text for text in result["warnings"])


def test_a_value_that_no_file_holds_has_no_line(run: Run) -> None:
    (finding,) = run[0]["built"]["findings"]
    assert (finding["path"], finding["file"], finding["line"]) == ("projects.api2", None, None)
    assert run[0]["built"]["msg"].splitlines()[1].startswith('projects.api2: the name "api2" cannot be reached')


def test_warnings_fail_on_demand_only(run: Run) -> None:
    strict, warned = run[0]["strict"], run[0]["warned"]
    assert (strict["failed"], warned["failed"]) == (True, False)
    assert strict["findings"] == warned["findings"]
    assert "colour: the app ignores this key" in strict["msg"]
    assert ["colour: the app ignores this key" in text for text in warned["warnings"]] == [True]


def test_files_are_found_like_other_files(run: Run) -> None:
    assert "agentsmith.yml:3: projects.api.source.url: is missing" in run[0]["file"]["msg"]
    assert run[0]["file"]["findings"][0]["file"] == "agentsmith.yml"
    assert "subdirectory/agentsmith.yml:1: is not YAML: nothing closes this `[`" in run[0]["role_file"]["msg"]
    assert "missing.yml" in run[0]["no_file"]["msg"]
    assert "Is a directory" in run[0]["directory"]["msg"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("both", "mutually exclusive: config|file"),
        ("neither", "one of the following is required: config, file"),
        ("list", "dict"),
        ("undefined", "nothing_of_that_name"),
    ],
)
def test_wrong_options(run: Run, task: str, message: str) -> None:
    assert run[0][task]["failed"] is True
    assert message in run[0][task]["msg"]


def test_no_token_is_shown_at_any_verbosity(run: Run) -> None:
    assert "looks like a token" in run[1]
    assert TOKEN not in run[1]
    assert TOKEN not in json.dumps(run[0])


def test_the_verdict_is_that_of_the_release(run: Run) -> None:
    assert (run[0]["same_app"]["verdict"], run[0]["same_app"]["findings"]) == ("works", [])
    misread = run[0]["other_app"]
    assert (misread["verdict"], misread["failed"]) == ("misread", False)
    assert any('runs its own "fix-bug"' in warning for warning in misread["warnings"])
    refused = run[0]["refused_by_other_app"]
    assert (refused["verdict"], refused["failed"]) == ("refused", True)
    assert "agentsmith.yml has 1 error and 2 warnings for the app 0.9.2:" in refused["msg"]


def test_an_unknown_release_of_the_app_is_refused(run: Run) -> None:
    """Without quotes YAML reads it as a fraction."""
    result = run[0]["unknown_app"]
    assert result["failed"] is True
    assert (
        "the option app (agentsmith_app; config_app of the role config) is a fraction. Allowed: be4bffa1 or"
        in result["msg"]
    )
