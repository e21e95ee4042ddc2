# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user has it: built, installed in a home directory of its own, with no checkout in sight."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
# As Galaxy's name for it is
ARCHIVES = "agentsmith-platform-*.tar.gz"
QUIET_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


@dataclass(frozen=True)
class User:
    """Somebody with programs of Ansible and a home directory, and nothing else.

    What is installed goes where Ansible puts it by default: into that directory.
    """

    programs: Path
    home: Path

    @property
    def collections(self) -> Path:
        """Where ansible-galaxy installs by default."""
        return self.home / ".ansible/collections"

    @property
    def collection(self) -> Path:
        """The installed collection."""
        return self.collections / "ansible_collections/agentsmith/platform"

    def call(
        self, program: str, *arguments: object, stdin: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the home directory, with variables of the environment, and return what came of it."""
        home = str(self.home)
        return subprocess.run(
            [self.programs / program, *map(str, arguments)],
            cwd=home,
            env={"HOME": home, "PATH": f"{self.programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **variables},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, program: str, *arguments: object, stdin: str | None = None, **variables: str) -> str:
        """Run a program that has to succeed, and return its output."""
        ended = self.call(program, *arguments, stdin=stdin, **variables)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def install(self, archive: Path) -> None:
        """Install the collection from its archive, over one that is there. No Galaxy is asked."""
        self.run("ansible-galaxy", "collection", "install", "--force", "--offline", "--no-deps", archive)

    def content(self, *below: str) -> dict[Path, str]:
        """Return what is in files below the home directory, as digests. What Python compiles is left out."""
        return {
            file: hashlib.sha256(file.read_bytes()).hexdigest()
            for root in below
            for file in sorted((self.home / root).rglob("*"))
            if file.is_file() and "__pycache__" not in file.parts
        }


def build(directory: Path) -> Path:
    """Build the collection of this checkout. Return the archive."""
    User(Path(sys.executable).parent, directory).run(
        "ansible-galaxy", "collection", "build", CHECKOUT, "--output-path", directory
    )
    (archive,) = directory.glob(ARCHIVES)
    return archive


@pytest.fixture(scope="module", name="archive")
def built_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built collection."""
    return build(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module", name="user")
def installed_for_user(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Somebody with the programs of this environment, who has installed the archive, and nothing else."""
    somebody = User(Path(sys.executable).parent, tmp_path_factory.mktemp("home"))
    somebody.install(archive)
    return somebody


def new_environment(interpreter: Path, directory: Path, packages: Iterable[str]) -> Path:
    """Make a virtual environment with these packages, as requirements.lock pins them. Return where its programs are."""
    subprocess.run([interpreter, "-m", "venv", directory], check=True)
    _pip(directory / "bin", "install", "--no-compile", *packages)
    return directory / "bin"


def _pip(programs: Path, verb: str, *arguments: object) -> None:
    command: Sequence[object] = (programs / "python", *QUIET_PIP, verb, "--constraint", CHECKOUT / "requirements.lock")
    subprocess.run([*command, *arguments], check=True, stdin=subprocess.DEVNULL)
