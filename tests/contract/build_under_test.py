# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher and the agent under test: the stand-in, or a real build as a program or as a container image.

AGENTSMITH_DISPATCHER and AGENTSMITH_AGENT name a real build; what is not named is the stand-in of docker/stand-in under
the running Python.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ansible_collections.agentsmith.dev.plugins.plugin_utils.container_engine import ulimits
from background_process import BackgroundProcess

STAND_IN = Path(__file__).parents[2] / "docker" / "stand-in"
STAND_IN_COMMAND = [sys.executable, "-m", "stand_in"]
DISPATCHER, AGENT = "AGENTSMITH_DISPATCHER", "AGENTSMITH_AGENT"
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
USER = 10001
"""No account of the machine: a container has none for it either."""
_PRIVATE_SURROUNDINGS = Path(__file__).with_name("private_surroundings.py")
_ENGINES = {"podman": ["--passwd=false"], "docker": []}
"""Container engines, with what they need to leave the image's accounts as they are."""


class BuildError(Exception):
    """What is named cannot be started here; the message says what is needed."""


@dataclass(frozen=True)
class Surroundings:
    """What a pod finds around it. `app` becomes the working directory: it has `config/`."""

    app: Path
    slack_url: str = ""
    """Where the stand-in Slack's Web API is; a real build looks for it behind `hosts`."""
    hosts: Mapping[str, str] = MappingProxyType({"slack.com": "127.0.0.1"})
    """Addresses of the services that a real build calls, by name."""
    certificate_authority: Path | None = None
    """The one authority that is trusted for these services."""
    service_account: Path | None = None
    """The mounted directory of a ServiceAccount."""


class Build(Protocol):
    """A Dispatcher or an agent that can be started."""

    real: bool

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], around: Surroundings
    ) -> BackgroundProcess:
        """Start it, and do not wait."""


class StandIn:
    """The stand-in, led to its surroundings by its own switches."""

    real = False

    def __init__(self, app: str = "") -> None:
        """`app` is the version that it stands in for; empty for its default."""
        self._app = app

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], around: Surroundings
    ) -> BackgroundProcess:
        """Start it."""
        switches = {"PYTHONPATH": str(STAND_IN)} | ({"STAND_IN_APP": self._app} if self._app else {})
        if around.slack_url:
            switches["STAND_IN_SLACK_API_URL"] = f"{around.slack_url}/api"
        if around.service_account is not None:
            switches["STAND_IN_SERVICE_ACCOUNT_DIRECTORY"] = str(around.service_account)
        return BackgroundProcess([*STAND_IN_COMMAND, *arguments], switches | environment, around.app)


class Program:
    """A program in a mount namespace of its own: what is private to it there, nothing outside of it sees."""

    real = True

    def __init__(self, words: Sequence[str], restricted: bool = False) -> None:
        """`restricted`: under the conditions of its container, as an unknown user without any privilege."""
        self.words = [_absolute(word) for word in words]
        self._restricted = restricted

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], around: Surroundings
    ) -> BackgroundProcess:
        """Start it."""
        wanted = {
            "hosts": dict(around.hosts),
            "app": str(around.app),
            "service_account": str(around.service_account or ""),
            "certificate_authority": str(around.certificate_authority or ""),
            "user": USER if self._restricted else 0,
            "shown": _shown(self.words) if self._restricted else {},
        }
        inherited = {name: value for name, value in os.environ.items() if name.startswith("DOTNET_")}
        prepared = [sys.executable, str(_PRIVATE_SURROUNDINGS), json.dumps(wanted)]
        return BackgroundProcess(["unshare", "--mount", *prepared, *self.words, *arguments], inherited | environment)


class Image:
    """A container image, under the conditions of the pods that the collection deploys."""

    real = True

    def __init__(self, image: str, engine: str) -> None:
        self._image = image
        self._engine = engine

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], around: Surroundings
    ) -> BackgroundProcess:
        """Start it."""
        name = f"agentsmith-contract-{secrets.token_hex(6)}"
        mounts = {around.app / "config": "/app/config"}
        environment = dict(environment)
        if around.service_account is not None:
            mounts[around.service_account] = SERVICE_ACCOUNT
        if around.certificate_authority is not None:
            mounts[around.certificate_authority] = environment["SSL_CERT_FILE"] = "/etc/contract-tests-ca.pem"
        command = [
            *(self._engine, "run", "--rm", "--pull=never", "--name", name, "--network=host"),
            *("--user", f"{USER}:{USER}", "--read-only", "--tmpfs", "/tmp:size=64m", "--cap-drop=ALL"),  # noqa: S108
            *("--security-opt", "no-new-privileges", *_ENGINES[self._engine]),
            *(f"--ulimit={limit}" for limit in ulimits()),
            *(f"--add-host={host}:{address}" for host, address in around.hosts.items()),
            *(f"--volume={source}:{target}:ro" for source, target in mounts.items()),
            # By name alone: a value would stand in the list of processes.
            *(f"--env={variable}" for variable in environment),
            *(self._image, *arguments),
        ]
        return _Container(command, environment, remove=[self._engine, "rm", "--force", name])


class _Container(BackgroundProcess):
    """A client of a container engine; the container does not end with it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], remove: Sequence[str]) -> None:
        self._remove = remove
        super().__init__(command, environment)

    def kill(self) -> None:
        if self.running:
            subprocess.run(self._remove, capture_output=True, check=False)
        super().kill()


def dispatcher_build() -> Build:
    """Return the Dispatcher under test."""
    return _build(DISPATCHER)


def agent_build() -> Build:
    """Return the agent under test."""
    build = _build(AGENT)
    # As in docker/agent: the variable of the Job is one of MSBuild's too.
    return Program(["env", "-u", "PLATFORM", *shlex.split(os.environ[AGENT])]) if isinstance(build, Program) else build


def restricted(build: Build) -> Build:
    """Return a build under the conditions of its container."""
    if isinstance(build, Image):
        return build
    stand_in = ["env", f"PYTHONPATH={STAND_IN}", "STAND_IN_SLACK_API_URL=https://slack.com/api", *STAND_IN_COMMAND]
    return Program(build.words if isinstance(build, Program) else stand_in, restricted=True)


def _build(variable: str) -> Build:
    value = os.environ.get(variable, "").strip()
    if not value:
        return StandIn()
    words = shlex.split(value)
    if shutil.which(words[0]):
        _require_namespaces()
        return Program(words)
    engines = [engine for engine in _ENGINES if shutil.which(engine)]
    for engine in engines:
        if subprocess.run([engine, "image", "inspect", value], capture_output=True, check=False).returncode == 0:
            return Image(value, engine)
    where = f"no image of {' or '.join(engines)}" if engines else "no image, as no container engine is on PATH"
    raise BuildError(f"{variable}: '{value}' is no program on PATH and {where}. Pull or load an image first.")


def _absolute(word: str) -> str:
    """Return a word that is a path in the directory of the tests as one that holds everywhere."""
    return str(Path(word).absolute()) if "/" in word and Path(word).exists() else word


def _shown(words: Sequence[str]) -> dict[str, list[str]]:
    """Return what a program needs that only one user of the machine reaches, as a .NET below a home directory.

    They are directories, by the closed directory that they are in.
    """
    # A program that is not started by `dotnet` finds .NET there.
    runtime = [os.environ["DOTNET_ROOT"]] if os.environ.get("DOTNET_ROOT") else []
    places = [Path(shutil.which(word) or word) for word in [*words, *runtime]] + [STAND_IN]
    found: dict[str, list[str]] = {}
    for path in [path for place in places if place.exists() for path in (place.absolute(), place.resolve())]:
        closed = next((parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001), None)
        needed = path if path.is_dir() else path.parent.parent if path.parent.name == "bin" else path.parent
        if closed is not None and str(needed) not in found.setdefault(str(closed), []):
            found[str(closed)].append(str(needed))
    return found


def _require_namespaces() -> None:
    if os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0:
        return
    raise BuildError(
        "A program under test needs a mount namespace, for slack.com and a service account of its own: "
        "run the tests as root; in a container, as one that has CAP_SYS_ADMIN."
    )
