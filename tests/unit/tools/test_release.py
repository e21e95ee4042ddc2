# SPDX-License-Identifier: GPL-3.0-or-later
"""A release in a clone: what it writes, that two builds of it are alike, and what it refuses."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import artefact
import pytest
import release
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
GALAXY = Path(sys.executable).with_name("ansible-galaxy")
FRAGMENT = "changelogs/fragments/new.yml"


@pytest.fixture(autouse=True)
def author(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A maintainer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "maintainer@example.com")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this checkout."""
    clone = tmp_path_factory.mktemp("release") / "clone"
    artefact.git(CHECKOUT, "clone", "--quiet", str(CHECKOUT), str(clone))
    return clone


@pytest.fixture
def clone(start: Path) -> Iterator[Path]:
    """The clone, clean, with something to release. What a test leaves is gone in the next one."""
    before = artefact.git(start, "rev-parse", "HEAD")
    (start / "changelogs/fragments").mkdir(exist_ok=True)
    (start / FRAGMENT).write_text("bugfixes:\n  - deploy - it is better now.\n")
    artefact.git(start, "add", "--all")
    artefact.git(start, "commit", "--quiet", "--message=Something to release")
    yield start
    artefact.git(start, "reset", "--hard", "--quiet", before)
    artefact.git(start, "clean", "--force", "-dx", "--quiet")
    if tags := artefact.git(start, "tag", "--list", "9?.*").split():
        artefact.git(start, "tag", "--delete", *tags)


def state(clone: Path) -> tuple[str, str, str]:
    return tuple(artefact.git(clone, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain"), ("tag",)))


def test_a_release_is_a_commit_a_tag_and_an_artefact(clone: Path, tmp_path: Path) -> None:
    built = release.release(clone, "97.1.0", tmp_path / "out")
    assert built == tmp_path / "out/agentsmith-platform-97.1.0.tar.gz"
    assert artefact.git(clone, "describe", "--exact-match") == "97.1.0"
    assert not artefact.git(clone, "status", "--porcelain")
    assert yaml.safe_load((clone / "galaxy.yml").read_text())["version"] == "97.1.0"
    assert '\nversion = "97.1.0"\n' in (clone / "pyproject.toml").read_text()
    changelog = (clone / "CHANGELOG.rst").read_text()
    assert changelog.index("v97.1.0") < changelog.index("deploy - it is better now.")
    assert not list((clone / "changelogs/fragments").glob("*.yml"))
    assert "changelogs/fragments" not in artefact.git(clone, "status", "--porcelain", "--ignored")

    # People install it
    collections = tmp_path / "collections"
    options = ["--no-deps", "--collections-path", collections]
    subprocess.run([GALAXY, "collection", "install", built, *options], check=True, capture_output=True)
    installed = collections / "ansible_collections/agentsmith/platform"
    assert '"version": "97.1.0"' in (installed / "MANIFEST.json").read_text()
    assert (installed / "playbooks/deploy.yml").read_bytes() == (clone / "playbooks/deploy.yml").read_bytes()


def test_two_builds_are_alike(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another clone, at another time, with files that git does not know, and listed in another order."""
    first = artefact.build(clone, "HEAD", tmp_path / "first")
    other = tmp_path / "other"
    artefact.git(tmp_path, "clone", "--quiet", str(clone), str(other))
    shutil.copytree(other / "roles/redis", other / "roles/not_in_git")
    wrapper = tmp_path / "ansible-galaxy"
    wrapper.write_text(
        f"#!{sys.executable}\nimport os, sys\nlisted = os.listdir\n"
        "os.listdir = lambda *path: sorted(listed(*path), reverse=True)\n"
        "from ansible.cli.galaxy import main\nsys.argv[0] = 'ansible-galaxy'\nmain()\n"
    )
    wrapper.chmod(0o755)
    monkeypatch.setattr(artefact, "GALAXY", wrapper)
    later = time.monotonic() + 1.1
    while time.monotonic() < later:  # the times in an archive are whole seconds
        os.sched_yield()
    second = artefact.build(other, "HEAD", tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    checksum = hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.with_name(f"{first.name}.sha256").read_text() == f"{checksum}  {first.name}\n"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.0.1", "Allowed: a newer version"),
        ("the next one", "Allowed: a semantic version"),
        ("v97.1.0", "Allowed: a semantic version"),
        ("97.1", "Allowed: a semantic version"),
        ("98.0.0", "The tag 98.0.0 exists"),
    ],
)
def test_it_refuses_a_version(clone: Path, tmp_path: Path, version: str, message: str) -> None:
    artefact.git(clone, "tag", "98.0.0")
    before = state(clone)
    with pytest.raises(release.RefusedError, match=message):
        release.release(clone, version, tmp_path / "out")
    assert state(clone) == before


def test_it_refuses_the_present_version(clone: Path, tmp_path: Path) -> None:
    present = yaml.safe_load((clone / "galaxy.yml").read_text())["version"]
    with pytest.raises(release.RefusedError, match="Allowed: a newer version"):
        release.release(clone, present, tmp_path / "out")


@pytest.mark.parametrize("name", ["README.md", "a new file"])
def test_it_refuses_a_checkout_with_changes(clone: Path, tmp_path: Path, name: str) -> None:
    (clone / name).write_text("changed")
    before = state(clone)
    with pytest.raises(release.RefusedError, match=f"has changes(.|\n)*{name}"):
        release.release(clone, "97.1.0", tmp_path / "out")
    assert state(clone) == before


@pytest.mark.parametrize("rest", [None, "trivial:\n  - nobody notices.\n", "release_summary: Nothing to tell.\n"])
def test_it_refuses_an_empty_changelog(clone: Path, tmp_path: Path, rest: str | None) -> None:
    for fragment in (clone / "changelogs/fragments").iterdir():
        fragment.unlink()
    if rest:
        (clone / FRAGMENT).write_text(rest)
    artefact.git(clone, "add", "--all")
    artefact.git(clone, "commit", "--quiet", "--message=No fragments")
    before = state(clone)
    with pytest.raises(release.RefusedError, match="Add one"):
        release.release(clone, "97.1.0", tmp_path / "out")
    assert state(clone) == before


def test_a_release_that_fails_leaves_nothing(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(clone)
    monkeypatch.setattr(release, "CHANGELOG", shutil.which("false"))
    with pytest.raises(subprocess.CalledProcessError):
        release.release(clone, "97.1.0", tmp_path / "out")
    assert state(clone) == before


def test_the_version_stands_everywhere_alike() -> None:
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    assert f'\nversion = "{version}"\n' in (CHECKOUT / "pyproject.toml").read_text()
