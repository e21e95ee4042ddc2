# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanners of files: detect-secrets for what looks like a secret, hadolint for Dockerfiles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
from findings import Finding

TOOLS = Path(sys.executable).parent

# Lines that hold no secret: the digest of an image, a tag that follows an image's content, a commit, a dummy
# that counts up.
NO_SECRET_LINES = [
    r"sha256:[0-9a-f]{64}",
    r"localhost/[a-z0-9-]+:[0-9a-f]{12}\b",
    r"(?i)commit=[0-9a-f]{40}\b",
    r"0123456789",
]
# Dummies of tests that say that they are one.
NO_SECRETS = [r"(?i)canary|marked|secret"]


def tracked(checkout: Path) -> list[Path]:
    """The files of the repository, relative to it, as far as they are there."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=checkout, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in names.split("\0") if name and (checkout / name).is_file()]


def secrets(scope: str, root: Path, names: Iterable[Path]) -> tuple[set[Finding], int]:
    """Return what has the shape of a secret in the files `names` below `root`, and how many files were read.

    KeywordDetector is off: it takes each text that is assigned to a name with `token` or `secret` in it for one, and
    the names of a Secret's keys are most of what these manifests are about.
    """
    collection = SecretsCollection(root=str(root))
    count = 0
    with default_settings() as settings:
        settings.disable_plugins("KeywordDetector")
        settings.filters["detect_secrets.filters.regex.should_exclude_line"] = {"pattern": NO_SECRET_LINES}
        settings.filters["detect_secrets.filters.regex.should_exclude_secret"] = {"pattern": NO_SECRETS}
        for name in names:
            collection.scan_file(str(name))
            count += 1
    return {Finding("detect-secrets", scope, secret.type, file) for file, secret in collection}, count


def hadolint(checkout: Path, names: Iterable[Path]) -> tuple[set[Finding], int]:
    """Return what hadolint has to say about the Dockerfiles `names`, and how many there are."""
    dockerfiles = [str(name) for name in names]
    answer = subprocess.run(
        [TOOLS / "hadolint", "--no-fail", "--format", "json", *dockerfiles],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    faults = json.loads(answer.stdout)
    return {Finding("hadolint", "repository", fault["code"], fault["file"]) for fault in faults}, len(dockerfiles)
