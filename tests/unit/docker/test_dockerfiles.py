# SPDX-License-Identifier: GPL-3.0-or-later
"""Every RUN line of the app's Dockerfiles, run as a shell command, with a `dotnet` that records."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dockerfile_build import DockerfileBuild, Stage, instructions

DOCKER = Path(__file__).parents[3] / "docker"
ENDPOINTS = "src/AgentSmith.Dispatcher/Extensions/WebApplicationExtensions.cs"
MAPPINGS = """app.MapPost("/slack/events", {0}HandleSlackEventsAsync);
app.MapPost("/slack/interact", {0}HandleSlackInteractAsync);
"""
# Stands for the SDK: records how it was called; `publish` leaves an assembly in the directory after --output
DOTNET = """#!/usr/bin/env python3
import json, os, pathlib, sys
call = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd()}}
with open({log!r}, "a") as log:
    print(json.dumps(call), file=log)
if sys.argv[1] == "publish":
    source = pathlib.Path(sys.argv[2])
    if not source.is_dir():
        sys.exit(f"{{source}} is no directory")
    output = pathlib.Path(sys.argv[sys.argv.index("--output") + 1])
    output.mkdir()
    (output / (source.name + ".dll")).write_bytes(b"".join(p.read_bytes() for p in sorted(source.rglob("*.cs"))))
"""


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Makes a repository with that text as the endpoints, returns the build arguments that name it and its commit."""

    def make(endpoints: str) -> dict[str, str]:
        repository = tmp_path / "upstream"
        for name, content in {
            ENDPOINTS: endpoints,
            "src/AgentSmith.Host/Program.cs": "host",
            "config/coding-principles.md": "principles",
        }.items():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(content, encoding="utf-8")
        git(repository, "init", "--quiet", ".")
        git(repository, "add", ".")
        git(repository, "commit", "--quiet", "--message", "pinned")
        pinned = git(repository, "rev-parse", "HEAD")
        # A branch that went on: the commit has to be asked for by its hash
        (repository / ENDPOINTS).write_text("later", encoding="utf-8")
        git(repository, "commit", "--quiet", "--all", "--message", "later")
        return {"AGENTSMITH_REPOSITORY": f"file://{repository}", "AGENTSMITH_COMMIT": pinned}

    return make


@pytest.fixture
def dotnet_log(tmp_path: Path) -> Path:
    return tmp_path / "dotnet.log"


@pytest.fixture
def path(tmp_path: Path, dotnet_log: Path) -> str:
    """The PATH of a base image that has a `dotnet`."""
    program = tmp_path / "sdk" / "dotnet"
    program.parent.mkdir()
    program.write_text(DOTNET.format(log=str(dotnet_log)), encoding="utf-8")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.fixture
def build(tmp_path: Path, path: str):
    def run(name: str, context: Path, arguments: dict[str, str]) -> DockerfileBuild:
        return DockerfileBuild(DOCKER / name / "Dockerfile", context, tmp_path / "build", path, arguments)

    return run


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The build context of the agent: a configuration that its owner alone may read, as a strict umask leaves it."""
    made = tmp_path / "context"
    made.mkdir()
    (made / "agentsmith.yml").write_text("projects: {}", encoding="utf-8")
    (made / "agentsmith.yml").chmod(0o600)
    return made


def calls(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def published(project: str, stage: Stage, *properties: str) -> list[str]:
    """The arguments that publish that project."""
    output = ["--configuration", "Release", "--output", str(stage.root / "publish")]
    common = ["-p:ContinuousIntegrationBuild=true", "-p:UseAppHost=false"]
    return ["publish", f"src/{project}", *output, *common, *properties]


def files(directory: Path) -> list[str]:
    return sorted(str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("cast", ["", "(Delegate)"], ids=["as pinned", "mended upstream"])
def test_the_dispatcher_is_published_with_both_casts(build, upstream, dotnet_log, cast):
    built = build("dispatcher", DOCKER / "dispatcher", upstream(MAPPINGS.format(cast)))
    source, image = built.stages["build"], built.stage

    expected = published("AgentSmith.Dispatcher", source, "-p:WarningsAsErrors=ASP0016")
    assert [call["arguments"] for call in calls(dotnet_log)] == [expected]
    assert files(image.root / "app") == ["AgentSmith.Dispatcher.dll", "config/coding-principles.md"]
    assert (image.root / "app/AgentSmith.Dispatcher.dll").read_text() == MAPPINGS.format("(Delegate)")
    assert mode(image.root / "tmp/agentsmith") == 0o1777
    assert image.user == "1000:1000"


@pytest.mark.parametrize("endpoints", [MAPPINGS.format("") * 2, "", MAPPINGS.splitlines()[0].format("")])
def test_the_dispatcher_of_another_source_is_not_built(build, upstream, dotnet_log, endpoints, capfd):
    with pytest.raises(subprocess.CalledProcessError):
        build("dispatcher", DOCKER / "dispatcher", upstream(endpoints))
    assert f"cast-slack-handlers: {ENDPOINTS}: found " in capfd.readouterr().err
    assert not dotnet_log.exists()


def test_the_agent_is_published_beside_its_configuration(build, upstream, context, dotnet_log):
    built = build("agent", context, upstream(MAPPINGS.format("")))
    source, image = built.stages["build"], built.stage

    assert [call["arguments"] for call in calls(dotnet_log)] == [published("AgentSmith.Host", source)]
    assert files(image.root / "app") == ["AgentSmith.Host.dll", "config/agentsmith.yml", "config/coding-principles.md"]
    assert mode(image.root / "app/config/agentsmith.yml") == 0o644
    assert mode(image.root / "tmp/agentsmith") == 0o1777
    assert image.user == "1000:1000"


@pytest.mark.parametrize("name", ["dispatcher", "agent"])
def test_a_commit_that_the_repository_has_not_is_not_built(build, upstream, context, dotnet_log, name, capfd):
    arguments = {**upstream(MAPPINGS.format("")), "AGENTSMITH_COMMIT": "0" * 40}
    with pytest.raises(subprocess.CalledProcessError):
        build(name, context if name == "agent" else DOCKER / name, arguments)
    assert "0" * 40 in capfd.readouterr().err
    assert not dotnet_log.exists()


@pytest.mark.parametrize("name", ["dispatcher", "agent"])
def test_every_run_line_was_run(build, upstream, context, name):
    built = build(name, context if name == "agent" else DOCKER / name, upstream(MAPPINGS.format("")))
    lines = [rest for instruction, rest in instructions(DOCKER / name / "Dockerfile") if instruction == "RUN"]
    assert built.commands == lines
    assert len(lines) == (DOCKER / name / "Dockerfile").read_text(encoding="utf-8").count("\nRUN ")


def test_an_agent_starts_without_the_platform_of_its_job(build, upstream, context, path, dotnet_log):
    """MSBuild takes PLATFORM for the platform to build for."""
    image = build("agent", context, upstream(MAPPINGS.format(""))).stage
    dotnet_log.unlink()
    job = {"PLATFORM": "slack", "JOB_ID": "a1b2c3d4e5f6", "PROJECT": "web"}
    command = [*image.entrypoint, "--headless", "--platform", "slack", "fix #54 in web"]
    subprocess.run(command, cwd=image.path("."), env={**image.environment(path), **job}, check=True, timeout=10)

    (call,) = calls(dotnet_log)
    assert call["arguments"] == ["AgentSmith.Host.dll", "--headless", "--platform", "slack", "fix #54 in web"]
    assert {name: call["environment"].get(name) for name in job} == {
        "PLATFORM": None,
        "JOB_ID": "a1b2c3d4e5f6",
        "PROJECT": "web",
    }
    assert call["directory"] == str(image.root / "app")


def test_the_dispatcher_starts_its_assembly(build, upstream):
    image = build("dispatcher", DOCKER / "dispatcher", upstream(MAPPINGS.format(""))).stage
    program, assembly = image.entrypoint
    assert program == "dotnet"
    assert image.path(assembly).is_file()


def test_a_configuration_on_an_agent_image_changes_nothing_else():
    """Entry point, user, environment and working directory stay those of the agent image."""
    assert instructions(DOCKER / "agent-config/Dockerfile") == [
        ("ARG", "AGENT"),
        ("FROM", "${AGENT}"),
        ("COPY", "agentsmith.yml config/agentsmith.yml"),
    ]
