# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a Dockerfile's instructions as shell commands, each stage in a directory instead of a container."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# A path of the image in a command or a value: `/publish`, not the slashes inside of `https://…` or `src/…`
IMAGE_PATH = re.compile(r"(?<![\w.:/$}-])/(?=\w)")


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """The instructions with their arguments: comments left out, continued lines joined."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    logical = re.sub(r"\\\n", "", "\n".join(lines)).splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in logical) if name]


@dataclass
class Stage:
    """What a stage has made: files below `root`, and its settings."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    user: str = ""

    def path(self, name: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / self.directory.lstrip("/") / name if not name.startswith("/") else self.root / name[1:]

    def environment(self, path: str) -> dict[str, str]:
        return {**self.variables, "PATH": f"{self.path('/usr/local/bin')}:{path}"}


class DockerfileBuild:
    """Builds from `context`. `path` is the PATH of the base image, `arguments` are those of --build-arg."""

    def __init__(self, dockerfile: Path, context: Path, root: Path, path: str, arguments: dict[str, str]) -> None:
        self.context = context
        self.root = root
        self.path = path
        self.arguments = arguments
        self.stages: dict[str, Stage] = {}
        self.commands: list[str] = []
        for name, rest in instructions(dockerfile):
            getattr(self, f"_{name.lower()}")(rest)

    @property
    def stage(self) -> Stage:
        return list(self.stages.values())[-1]

    def _from(self, rest: str) -> None:
        name = rest.partition(" AS ")[2] or f"stage-{len(self.stages)}"
        self.stages[name] = Stage(self.root / name)

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        # Before the first FROM they choose base images, which are not there
        if self.stages:
            self.stage.variables[name] = self.arguments.get(name, default)

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.stage.variables[name] = value

    def _workdir(self, rest: str) -> None:
        self.stage.directory = rest
        self.stage.path(".").mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *words, target = rest.split()
        options = dict(word.removeprefix("--").split("=") for word in words if word.startswith("--"))
        source_root = self.stages[options["from"]].root if "from" in options else self.context
        destination = self.stage.path(target)
        for source in (source_root / word.lstrip("/") for word in words if not word.startswith("--")):
            if source.is_dir():
                shutil.copytree(source, destination, dirs_exist_ok=True)
                continue
            file = destination / source.name if target.endswith("/") else destination
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, file)
            if "chmod" in options:
                file.chmod(int(options["chmod"], 8))

    def _run(self, rest: str) -> None:
        self.stage.path("/tmp").mkdir(parents=True, exist_ok=True)  # noqa: S108  every base image has it
        command = IMAGE_PATH.sub(f"{self.stage.root}/", rest)
        subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.stage.path("."),
            env=self.stage.environment(self.path),
            check=True,
            timeout=60,
        )
        self.commands.append(rest)

    def _entrypoint(self, rest: str) -> None:
        self.stage.entrypoint = json.loads(rest)

    def _user(self, rest: str) -> None:
        self.stage.user = rest

    def _label(self, rest: str) -> None:
        """Nothing of an image's labels is run."""

    _expose = _healthcheck = _label
