# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy, Automation Hub and the community's bundle ask of a collection, on the archive that users install.

These tests run in an environment of their own, with one version of ansible-core and without any other collection.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from installed_collection import CHECKOUT, User, built_archive, installed_for_user  # noqa: F401  fixtures

PROGRAMS = Path(sys.executable).parent
# The home directory of ansible-test, which keeps environments for its tests in it
HOME = PROGRAMS.parent / "home"
LONG = os.environ.get("AGENTSMITH_LONG_TESTS") == "1"
REUSE = [PROGRAMS / "reuse", "--root"]


def test_galaxys_importer_takes_it(archive: Path, tmp_path: Path) -> None:
    """Without an error or a warning, and with the page of each plugin and role: it installs no dependencies.

    What the importer's ansible-lint finds, `make lint` finds, too, so it takes its time in `make test-long` only.
    """
    variables = {"GALAXY_IMPORTER_RUN_ANSIBLE_LINT": str(LONG), "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true"}
    said = User(PROGRAMS, tmp_path).run("python", "-m", "galaxy_importer.main", archive, **variables)
    assert "Importer processing completed successfully" in said
    assert not re.findall(r"^(?:ERROR|WARNING).*", said, re.MULTILINE)
    contents = json.loads((tmp_path / "importer_result.json").read_text())["docs_blob"]["contents"]
    shown = {(entry["content_type"], entry["content_name"]): entry for entry in contents}
    described = {name for (kind, name), entry in shown.items() if kind == "module" and entry["doc_strings"].get("doc")}
    assert described == {file.stem for file in (CHECKOUT / "plugins/modules").glob("*.py")}
    assert {name for kind, name in shown if kind == "role"} == {path.name for path in (CHECKOUT / "roles").iterdir()}


def test_ansible_test_sanity_finds_nothing(user: User) -> None:
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    ended = subprocess.run(
        [PROGRAMS / "ansible-test", "sanity", "--python", python, "--requirements", "--color", "no"],
        cwd=user.collection,
        # Python's own programs only: of the shims of pyenv some do not run
        env={"HOME": str(HOME), "PATH": f"{PROGRAMS}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | pip_settings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert 'Running sanity test "validate-modules"' in ended.stdout
    assert not re.findall(r"^ERROR.*", ended.stdout, re.MULTILINE)


def pip_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def test_the_documentation_is_whole(user: User) -> None:
    """Markup, references between pages, and what Ansible's site needs of each page."""
    said = user.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", user.collection)
    assert not said


def reuse(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*REUSE, root, "lint"], capture_output=True, text=True, check=False)


def test_every_file_has_a_licence_and_a_copyright() -> None:
    ended = reuse(CHECKOUT)
    assert ended.returncode == 0, ended.stdout


def test_a_file_without_a_licence_is_found(tmp_path: Path) -> None:
    """REUSE.toml states the copyright of all files, so it must not state the licence of all, too."""
    for name in ("REUSE.toml", "LICENSE", "Makefile"):
        (tmp_path / name).write_bytes((CHECKOUT / name).read_bytes())
    (tmp_path / "LICENSES").mkdir()
    (tmp_path / "LICENSES/GPL-3.0-or-later.txt").write_bytes((CHECKOUT / "LICENSE").read_bytes())
    assert reuse(tmp_path).returncode == 0
    for name in ("module.py", "tasks.yml", "template.j2"):
        (tmp_path / name).write_text("---\n")
    said = reuse(tmp_path)
    assert said.returncode == 1
    assert {name for name in ("module.py", "tasks.yml", "template.j2") if name in said.stdout} == {
        "module.py",
        "tasks.yml",
        "template.j2",
    }
