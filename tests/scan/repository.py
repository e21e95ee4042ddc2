# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanners of files: detect-secrets for what looks like a secret, hadolint for Dockerfiles, actionlint."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
from findings import Finding, Skip

TOOLS = Path(sys.executable).parent


def tracked(checkout: Path) -> list[Path]:
    """The files of the repository, relative to it, as far as they are there."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=checkout, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in names.split("\0") if name and (checkout / name).is_file()]


def secrets(scope: str, root: Path, names: Iterable[Path], skips: Iterable[Skip]) -> tuple[set[Finding], int]:
    """Return what has the shape of a secret in the files `names` below `root`, and how many files were read."""
    skipped: dict[str, list[str]] = {"detector": [], "line": [], "secret": []}
    for skip in skips:
        if (skip.scanner, skip.scope) == ("detect-secrets", scope):
            skipped[skip.skip].append(skip.what)
    collection = SecretsCollection(root=str(root))
    count = 0
    with default_settings() as settings:
        settings.disable_plugins(*skipped["detector"])
        for part in ("line", "secret"):
            settings.filters[f"detect_secrets.filters.regex.should_exclude_{part}"] = {"pattern": skipped[part]}
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


def actionlint(checkout: Path, names: Iterable[Path]) -> tuple[set[Finding], int]:
    """Return what actionlint has to say about the workflows `names`, and how many there are."""
    workflows = [str(name) for name in names]
    # It would also call shellcheck and pyflakes if this machine has them.
    answer = subprocess.run(
        [TOOLS / "actionlint", "-shellcheck=", "-pyflakes=", "-format", "{{json .}}", *workflows],
        cwd=checkout,
        capture_output=True,
        text=True,
    )
    assert answer.returncode in (0, 1), answer.stderr
    faults = json.loads(answer.stdout)
    return {Finding("actionlint", "repository", fault["message"], fault["filepath"]) for fault in faults}, len(
        workflows
    )
