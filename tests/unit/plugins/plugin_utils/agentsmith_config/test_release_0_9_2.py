# SPDX-License-Identifier: GPL-3.0-or-later
"""What release 0.9.2 makes of a file, and where it reads otherwise than be4bffa1.

Each case was seen with both releases, or read in the source of 0.9.2 where nothing could be run.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import Report, examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.releases import (
    BE4BFFA1,
    RELEASE_0_9_2,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import COMMANDS

ROOT = Path(__file__).parents[5]
REPOSITORY = {"type": "GitHub", "url": "https://github.com/fjell/lantern"}
# The file that both releases read alike
COMMON: dict[str, Any] = {
    "projects": {
        "lantern": {
            "source": REPOSITORY,
            "tickets": REPOSITORY,
            "agent": {"type": "Claude", "models": {}},
            "pipeline": "fix-bug",
        }
    },
    "pipelines": {"fix-bug": {"commands": list(COMMANDS)}},
}
NAMED = {"model": "mini"}
# What OpenAI needs of both releases: the newer one asks it in four steps
OPENAI = {
    "type": "OpenAI",
    "models": dict.fromkeys(("primary", "planning", "context_generation", "code_map_generation"), NAMED),
    "pricing": {"models": {"mini": {"input_per_million": 1.5}}},
}


def project(**keys: Any) -> dict[str, Any]:
    """The common file with other keys in its project; one that is `...` is left out."""
    document = copy.deepcopy(COMMON)
    lantern = document["projects"]["lantern"] | keys
    document["projects"]["lantern"] = {name: value for name, value in lantern.items() if value is not ...}
    return document


def agent(**keys: Any) -> dict[str, Any]:
    claude = {"type": "Claude", "models": {}} | keys
    return project(agent={name: value for name, value in claude.items() if value is not ...})


def openai(**keys: Any) -> dict[str, Any]:
    return project(agent=OPENAI | keys)


def openai_models(**keys: Any) -> dict[str, Any]:
    models = OPENAI["models"] | keys  # type: ignore[operator]
    return openai(models={name: value for name, value in models.items() if value is not ...})


def root(**keys: Any) -> dict[str, Any]:
    return {name: value for name, value in (copy.deepcopy(COMMON) | keys).items() if value is not ...}


def pipeline(commands: Any, name: str = "fix-bug") -> dict[str, Any]:
    return project(pipeline=name) | {"pipelines": {name: {"commands": commands}}}


WITHOUT_TESTS = [name for name in COMMANDS if name != "TestCommand"]
UPSTREAMS_13 = [
    *COMMANDS,
    "BootstrapProjectCommand",
    "LoadCodeMapCommand",
    "LoadContextCommand",
    "WriteRunResultCommand",
]
PRICED = {"pricing": {"models": {"mini": {}}}}

# File, the verdict of 0.9.2, that of be4bffa1. A verdict `misread` is that of a warning.
CASES: dict[str, tuple[Any, str, str]] = {
    "the common file": (COMMON, "works", "works"),
    "the common file for OpenAI": (openai(), "works", "works"),
    # The file
    "no projects": (root(projects=None), "refused", "refused"),
    "a project that is null": (root(projects={"lantern": None}), "refused", "refused"),
    "secrets that are null": (root(secrets=None), "refused", "refused"),
    "a secret that is null": (root(secrets={"github": None}), "refused", "refused"),
    "secrets": (root(secrets={"github": "${GITHUB_TOKEN}"}), "works", "works"),
    "skills_path null": (project(skills_path=None), "refused", "works"),
    "skills_path to nowhere": (project(skills_path="skills/none"), "works", "works"),
    "tool_runner": (root(tool_runner={"type": "docker"}), "works", "works"),
    # Pipelines: presets in the code
    "no pipelines": (root(pipelines=...), "works", "refused"),
    "pipelines of a wrong type": (root(pipelines=[1]), "works", "refused"),
    "pipelines null": (root(pipelines=None), "works", "refused"),
    "a pipeline of a wrong type": (root(pipelines={"fix-bug": {"commands": {"a": 1}}}), "works", "refused"),
    "a preset in another case": (pipeline(list(COMMANDS), "Fix-Bug"), "works", "works"),
    "fix-no-test": (pipeline(WITHOUT_TESTS, "fix-no-test"), "works", "works"),
    "add-feature": (pipeline(list(COMMANDS), "add-feature"), "works", "works"),
    "init-project": (project(pipeline="init-project"), "works", "refused"),
    "own pipeline": (pipeline(list(COMMANDS), "mend"), "refused", "works"),
    "own commands": (pipeline(WITHOUT_TESTS), "misread", "works"),
    "own commands under fix-no-test": (pipeline(list(COMMANDS), "fix-no-test"), "misread", "works"),
    "upstream's 13 commands": (pipeline(UPSTREAMS_13), "works", "refused"),
    "no commands": (pipeline([]), "misread", "works"),
    "own commands in a pipeline that nobody names": (
        root(pipelines=COMMON["pipelines"] | {"add-feature": {"commands": []}}),
        "works",
        "works",
    ),
    **{
        f"preset {name}": (pipeline(list(COMMANDS), name), "refused", "works")
        for name in ("security-scan", "legal-analysis", "api-security-scan", "skill-manager", "autonomous")
    },
    "pipeline null": (project(pipeline=None), "works", "refused"),
    "pipeline empty": (project(pipeline=""), "refused", "refused"),
    "pipeline absent": (project(pipeline=...), "refused", "refused"),
    # Sources and tickets: no difference
    "source type null": (project(source=REPOSITORY | {"type": None}), "refused", "refused"),
    "auth": (project(source=REPOSITORY | {"auth": "token"}), "works", "works"),
    "a ticket's address with .git": (
        project(tickets={"type": "GitHub", "url": "https://github.com/fjell/lantern.git"}),
        "refused",
        "refused",
    ),
    "a project's name with a digit": (root(projects={"web2": COMMON["projects"]["lantern"]}), "refused", "refused"),
    # Agents
    "Anthropic": (agent(type="Anthropic"), "works", "works"),
    "Gemini": (agent(type="Gemini", models={"primary": NAMED, "planning": NAMED}), "refused", "works"),
    "Google": (agent(type="google", models={"primary": NAMED, "planning": NAMED}), "refused", "works"),
    "Ollama": (openai(type="Ollama", endpoint="https://ollama.example.com"), "refused", "refused"),
    "type null": (agent(type=None), "works", "refused"),
    "type empty": (agent(type=""), "refused", "refused"),
    "type absent": (agent(type=...), "refused", "refused"),
    "Claude without models": (agent(models=..., model="mini", **PRICED), "misread", "works"),
    "Claude without model and models": (agent(models=...), "refused", "refused"),
    "OpenAI without models": (openai(models=None, model="mini"), "refused", "works"),
    "OpenAI without context_generation": (openai_models(context_generation=...), "refused", "works"),
    "OpenAI without code_map_generation": (openai_models(code_map_generation=...), "works", "works"),
    "OpenAI without planning": (openai_models(planning=...), "refused", "refused"),
    "context_generation null": (agent(models={"context_generation": None}), "refused", "works"),
    "code_map_generation null": (agent(models={"code_map_generation": None}), "works", "works"),
    "context_generation without tokens": (
        agent(models={"context_generation": NAMED | {"max_tokens": 0}}),
        "refused",
        "works",
    ),
    "code_map_generation without tokens": (
        agent(models={"code_map_generation": NAMED | {"max_tokens": 0}}),
        "works",
        "works",
    ),
    "planning without tokens": (agent(models={"planning": NAMED | {"max_tokens": 0}}), "refused", "refused"),
    "primary without tokens": (agent(models={"primary": NAMED | {"max_tokens": 0}}), "works", "works"),
    "provider_type of a model": (
        agent(models={"primary": NAMED | {"provider_type": "?", "endpoint": "?"}}),
        "works",
        "works",
    ),
    "endpoint": (openai(endpoint="https://models.example.com"), "works", "works"),
    "endpoint of another scheme": (openai(endpoint="ftp://models.example.com"), "refused", "works"),
    "endpoint without a scheme": (openai(endpoint="models.example.com"), "refused", "works"),
    "endpoint for Claude": (agent(endpoint="nowhere"), "works", "works"),
    "api_key_secret": (openai(api_key_secret="GEMINI_API_KEY"), "works", "works"),  # noqa: S106 - the name of a variable
    "api_key_secret that no Job has": (openai(api_key_secret="MY_KEY"), "refused", "works"),  # noqa: S106
    "api_key_secret null": (openai(api_key_secret=None), "works", "works"),
    # Retries
    "no retries": (agent(retry={"max_retries": 0}), "refused", "refused"),
    "infinite waits": (agent(retry={"backoff_multiplier": "1e400", "initial_delay_ms": 0}), "refused", "refused"),
    # Switches: `enabled` became `is_enabled`
    "caching off, old": (agent(cache={"enabled": False}), "misread", "works"),
    "caching off, new": (agent(cache={"is_enabled": False}), "works", "works"),
    "caching off, both": (agent(cache={"enabled": False, "is_enabled": False}), "works", "works"),
    "caching on, old": (agent(cache={"enabled": True}), "works", "works"),
    "the old switch of a wrong type": (agent(cache={"enabled": "perhaps"}), "works", "refused"),
    "the new switch of a wrong type": (agent(cache={"is_enabled": "perhaps"}), "refused", "works"),
    "strategy null, off by the old switch": (agent(cache={"enabled": False, "strategy": None}), "refused", "works"),
    "strategy null, off by the new switch": (agent(cache={"is_enabled": False, "strategy": None}), "works", "refused"),
    "compaction off, old": (agent(compaction={"enabled": False}), "misread", "works"),
    "compaction off, both": (agent(compaction={"enabled": False, "is_enabled": False}), "works", "works"),
    "threshold 0, off by the old switch": (
        agent(compaction={"enabled": False, "threshold_iterations": 0}),
        "refused",
        "works",
    ),
    "threshold 0, off by the new switch": (
        agent(compaction={"is_enabled": False, "threshold_iterations": 0}),
        "works",
        "refused",
    ),
    "compaction off, for OpenAI": (openai(compaction={"enabled": False}), "works", "works"),
    "max_context_tokens": (agent(compaction={"max_context_tokens": 0}), "works", "works"),
    # Prices
    "no prices": (agent(pricing=None), "refused", "refused"),
    # The rules of the project
    "rules in the older image": (project(coding_principles_path="config/coding-principles.md"), "misread", "works"),
    "rules in the older image, with a dot": (
        project(coding_principles_path="./config/coding-principles.md"),
        "misread",
        "works",
    ),
    "rules in the repository": (project(coding_principles_path="docs/rules.md"), "works", "refused"),
    "rules at an absolute path": (project(coding_principles_path="/etc/rules.md"), "works", "works"),
    "rules empty": (project(coding_principles_path=""), "refused", "refused"),
    "rules null": (project(coding_principles_path=None), "works", "works"),
}


def shown(report: Report) -> str:
    return "\n".join(f"{finding.severity} {finding.code} {finding}" for finding in report.findings)


@pytest.mark.parametrize("name", CASES)
def test_a_verdict(name: str) -> None:
    document, newer, older = CASES[name]
    text = json.dumps(document)
    report = examine(text, "agentsmith.yml", release=RELEASE_0_9_2)
    assert report.verdict == newer, shown(report)
    if newer != "refused":
        assert not report.policies, shown(report)
    elder = examine(text, "agentsmith.yml", release=BE4BFFA1)
    assert elder.verdict == older, shown(elder)


@pytest.mark.parametrize("release", [BE4BFFA1, RELEASE_0_9_2], ids=lambda release: release.name)
def test_the_common_file_draws_no_finding(release: Any) -> None:
    report = examine(json.dumps(COMMON), release=release)
    assert report.findings == []
    switched = agent(cache={"enabled": False, "is_enabled": False}, compaction={"enabled": True, "is_enabled": True})
    assert examine(json.dumps(switched), release=release).findings == []


def test_messages_say_what_the_release_does() -> None:
    text = json.dumps(agent(cache={"enabled": False}) | {"pipelines": {"fix-bug": {"commands": WITHOUT_TESTS}}})
    found = {finding.path: finding.message for finding in examine(text, release=RELEASE_0_9_2).findings}
    assert "also does the work of TestCommand" in found["pipelines.fix-bug"]
    assert "write `is_enabled: false` as well" in found["projects.lantern.agent.cache.enabled"]
    gemini = examine(json.dumps(agent(type="Gemini")), release=RELEASE_0_9_2)
    assert "`LLM client for provider 'Gemini' is not yet supported.`" in shown(gemini)


def test_a_token_under_an_ignored_key_is_found() -> None:
    token = "ghp_" + "MARKED" * 6
    document = root(pipelines={"fix-bug": {"commands": [token]}})
    report = examine(json.dumps(document), release=RELEASE_0_9_2)
    assert [finding.code for finding in report.policies] == ["secret_in_clear"]
    assert token not in shown(report)


def test_the_variable_of_the_key_decides_which_secret_is_needed() -> None:
    def needed(document: Any, release: Any) -> list[str]:
        return [secret.key for secret in examine(json.dumps(document), release=release).required_secrets]

    document = openai(api_key_secret="GEMINI_API_KEY")  # noqa: S106 - the name of a variable
    assert needed(document, RELEASE_0_9_2) == ["gemini-api-key", "github-token"]
    assert needed(document, BE4BFFA1) == ["openai-api-key", "github-token"]
    assert needed(agent(type=None), RELEASE_0_9_2) == ["anthropic-api-key", "github-token"]


def test_an_open_address_for_the_key_is_refused_by_policy() -> None:
    report = examine(json.dumps(openai(endpoint="http://models.example.com")), release=RELEASE_0_9_2)
    assert [finding.code for finding in report.policies] == ["unencrypted"]


def published() -> dict[str, Any]:
    """The configurations that this project hands out."""
    inventories = {
        name: yaml.safe_load((ROOT / f"inventories/{name}/group_vars/all/config.yml").read_text())["config_agentsmith"]
        for name in ("dev", "prod")
    }
    engine = jinja2.Environment(autoescape=False)  # noqa: S701 - it makes YAML
    engine.filters["to_json"] = json.dumps
    template = engine.from_string((ROOT / "roles/new_environment/templates/group_vars/all/config.yml.j2").read_text())
    made = template.render(new_environment_project="web", new_environment_repository="https://github.com/fjell/web")
    page = (ROOT / "docs/reference/one-file-for-both.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    return {
        **inventories,
        "a new environment": yaml.safe_load(made)["config_agentsmith"],
        "the page": yaml.safe_load(example),
    }


@pytest.mark.parametrize("release", [BE4BFFA1, RELEASE_0_9_2], ids=lambda release: release.name)
@pytest.mark.parametrize("name", published())
def test_what_this_project_hands_out_is_read_alike(name: str, release: Any) -> None:
    report = examine(published()[name], release=release)
    assert shown(report) == ""


def test_every_word_of_the_second_column_is_on_the_page() -> None:
    found = {
        finding.code
        for document, _, _ in CASES.values()
        for finding in set(examine(json.dumps(document), release=RELEASE_0_9_2).findings)
    }
    page = (ROOT / "docs/reference/config-check.md").read_text()
    assert found <= set(re.findall(r"`(\w+)`", page))
