# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a release: `make release VERSION=1.2.3`. It changes nothing outside this checkout; what to push, it says.

It writes the version, folds the fragments of the changelog into CHANGELOG.rst, commits, tags, and builds the artefact.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from ansible.utils.version import SemanticVersion
from artefact import CHECKOUT, build, git

CHANGELOG, DOC = (Path(sys.executable).with_name(name) for name in ("antsibull-changelog", "ansible-doc"))
VERSION_LINES = {"galaxy.yml": "version: {}", "pyproject.toml": 'version = "{}"'}
SILENT_SECTIONS = {"trivial", "release_summary"}


class RefusedError(Exception):
    """Why there is no release. Nothing was changed."""


def check(checkout: Path, version: str) -> None:
    """Refuse what cannot be released."""
    try:
        new = SemanticVersion(version)
    except ValueError:
        raise RefusedError(
            f"VERSION is '{version}'. Allowed: a semantic version, such as 1.2.3 or 1.2.3-rc.1."
        ) from None
    present = yaml.safe_load((checkout / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    if new <= SemanticVersion(present):
        raise RefusedError(f"VERSION is {version}, and galaxy.yml has {present}. Allowed: a newer version.")
    if git(checkout, "tag", "--list", version):
        raise RefusedError(f"The tag {version} exists. Choose a newer VERSION, or remove the tag if nobody has it.")
    if changes := git(checkout, "status", "--porcelain"):
        raise RefusedError(f"The checkout has changes. Commit or remove them first:\n{changes}")
    fragments = [yaml.safe_load(file.read_text("utf-8")) for file in (checkout / "changelogs/fragments").glob("*.y*ml")]
    if not {section for fragment in fragments for section in fragment or {}} - SILENT_SECTIONS:
        raise RefusedError("No fragment in changelogs/fragments says what changed. Add one.")


def write(checkout: Path, version: str) -> None:
    """Write the version and the changelog."""
    for name, line in VERSION_LINES.items():
        file = checkout / name
        pattern = "(?m)^" + re.escape(line).replace(re.escape("{}"), '[^"\n]+') + "$"
        text, count = re.subn(pattern, line.format(version), file.read_text(encoding="utf-8"))
        if count != 1:
            raise RefusedError(f"{name} has {count} lines '{line.format('…')}'. Allowed: one.")
        file.write_text(text, encoding="utf-8")
    options = ["--version", version, "--reload-plugins", "--ansible-doc-bin", DOC]
    subprocess.run([CHANGELOG, "release", *options], cwd=checkout, check=True)


def release(checkout: Path, version: str, directory: Path) -> Path:
    """Release a version, and return its artefact. A release that fails leaves the checkout as it was."""
    check(checkout, version)
    before = git(checkout, "rev-parse", "HEAD")
    try:
        write(checkout, version)
        git(checkout, "add", "--all")
        git(checkout, "commit", "--quiet", f"--message=Release {version}")
        artefact = build(checkout, "HEAD", directory)
        git(checkout, "tag", "--annotate", f"--message={version}", version)
    except BaseException:
        git(checkout, "reset", "--hard", "--quiet", before)
        git(checkout, "clean", "--force", "--quiet", "changelogs")
        raise
    return artefact


def main() -> int:
    try:
        artefact = release(CHECKOUT, sys.argv[1], Path(sys.argv[2]))
    except RefusedError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        print(f"No release, and nothing is changed: {command} failed.\n{error.stderr or ''}", file=sys.stderr)
        return 1
    version = git(CHECKOUT, "describe", "--exact-match")
    print(f"The artefact of {version}, and its checksum beside it: {artefact}")
    print(f"Next: git push --atomic origin main {version}")
    print("The hosted workflow `release` then builds the same artefact from the tag, and publishes it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
