# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is published works by itself: without the checkout, and without the development machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from production_copy import CHECKOUT, PASSWORD_SOURCE, copy_production

DEV = CHECKOUT / "dev"
PROGRAMS = Path(sys.executable).parent
# What runs, and the metadata that says what belongs to it
PRODUCT = ("meta", "playbooks", "plugins", "roles")
NAMED = re.compile(r"\bagentsmith\.platform\.(\w+)")
ANSWERS = {
    "new_environment_name": "staging",
    "new_environment_namespace": "agentsmith",
    "new_environment_context": "a-cluster",
    "new_environment_dispatcher_image": "registry.example/dispatcher:1",
    "new_environment_agent_image": "registry.example/agent:1",
    "new_environment_project": "agent-smith-test",
    "new_environment_repository": "https://github.com/example/agent-smith-test",
    "new_environment_slack_bot_token": "xoxb-1-2-canary4711",
    "new_environment_slack_signing_secret": "0123456789abcdef" * 2,
    "new_environment_github_token": "ghp_canary4711",
    "new_environment_anthropic_api_key": "sk-canary4711",
    "new_environment_vault_password": "a password, canary4711",
}
IMPORT_ALL = """
import importlib, pathlib, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
for file in sorted(pathlib.Path(sys.argv[1], "plugins").rglob("*.py")):
    parts = file.relative_to(sys.argv[1]).with_suffix("").parts
    importlib.import_module(".".join(("ansible_collections.agentsmith.platform", *parts)).removesuffix(".__init__"))
    print(file)
"""


def run(
    collections: Path, program: str, *arguments: object, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of Ansible outside the checkout, where only the installed collection is found."""
    process = subprocess.run(
        [PROGRAMS / program, *map(str, arguments)],
        cwd=directory or collections,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "PYTHONPATH": str(collections)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process


def install(collections: Path, archive: Path) -> None:
    options = ["--force", "--no-deps", "--collections-path", collections]
    run(collections, "ansible-galaxy", "collection", "install", archive, *options)


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of collections in which there is the built and installed one, and no other."""
    directory = tmp_path_factory.mktemp("collections")
    run(directory, "ansible-galaxy", "collection", "build", CHECKOUT, "--output-path", directory)
    (archive,) = directory.glob("*.tar.gz")
    install(directory, archive)
    return directory


@pytest.fixture(scope="module")
def artefact(collections: Path) -> Path:
    return collections / "ansible_collections/agentsmith/platform"


def product_files(artefact: Path) -> list[Path]:
    return [
        file
        for part in PRODUCT
        for file in sorted((artefact / part).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]


def test_no_folder_of_the_checkout_alone_is_in_it(artefact: Path) -> None:
    folders = {path.name for path in artefact.iterdir() if path.is_dir()}
    assert folders == {*PRODUCT, "changelogs", "docs"}
    assert not (artefact / "ansible.cfg").exists(), "it names an inventory and a Vault password of the checkout"


def test_nothing_of_the_development_machine_is_in_it(artefact: Path) -> None:
    roles = {path.name for path in (DEV / "roles").iterdir()}
    plugins = {path.stem for kind in ("action", "lookup", "modules") for path in (DEV / "plugins" / kind).glob("*.py")}
    assert {"local_cluster", "images", "kind_cluster_plan", "directory_digest"} <= roles | plugins
    assert not roles & {path.name for path in (artefact / "roles").iterdir()}
    files = product_files(artefact)
    assert not plugins & {file.stem for file in files}
    assert not [file for file in files if "agentsmith.dev" in file.read_text()]
    assert not (artefact / "playbooks/local_cluster.yml").exists()


def test_whatever_it_names_of_itself_is_in_it(artefact: Path) -> None:
    """Roles, playbooks, modules and other plugins by their full names, in code, tasks and documentation."""
    there = {path.name for path in (artefact / "roles").iterdir()}
    there |= {file.stem for part in ("playbooks", "plugins") for file in (artefact / part).rglob("*") if file.is_file()}
    there |= yaml.safe_load((artefact / "meta/runtime.yml").read_text())["action_groups"].keys() | {"plugins"}
    named = {(file, name) for file in product_files(artefact) for name in NAMED.findall(file.read_text())}
    assert len({name for _, name in named}) > 30
    assert not {(file, name) for file, name in named if name not in there}


def test_every_plugin_can_be_imported(collections: Path, artefact: Path) -> None:
    imported = run(collections, "python", "-c", IMPORT_ALL, artefact).stdout.splitlines()
    assert len(imported) > 100


def test_every_playbook_is_valid(collections: Path, artefact: Path) -> None:
    names = [f"agentsmith.platform.{path.stem}" for path in sorted((artefact / "playbooks").glob("*.yml"))]
    assert "agentsmith.platform.deploy" in names
    run(collections, "ansible-playbook", "--syntax-check", "-i", "localhost,", *names)


def test_every_plugin_and_role_is_documented(collections: Path) -> None:
    run(collections, "ansible-doc", "--metadata-dump", "agentsmith.platform")


def test_it_renders_production(collections: Path, tmp_path: Path) -> None:
    copy_production(tmp_path / "inventory")
    options = [
        "-i",
        tmp_path / "inventory",
        "--vault-id",
        f"prod@{PASSWORD_SOURCE}",
        "-e",
        f"render_dir={tmp_path}/out",
    ]
    run(collections, "ansible-playbook", "agentsmith.platform.render", "--limit", "prod-eu", *options)
    kinds = {yaml.safe_load(path.read_text())["kind"] for path in (tmp_path / "out").rglob("*.yaml")}
    assert {"Deployment", "Secret", "Gateway"} <= kinds


def test_a_new_environment_outlives_the_next_installation(collections: Path, tmp_path: Path) -> None:
    """It lies where its user is, the next command is right there, and `install --force` takes nothing away."""
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.safe_dump(ANSWERS))
    output = run(
        collections, "ansible-playbook", "agentsmith.platform.new_environment", "-e", f"@{answers}", directory=tmp_path
    ).stdout
    environment = tmp_path / "inventories/staging"
    assert f"ansible-playbook agentsmith.platform.deploy -i {environment} " in " ".join(output.split())
    written = {path: path.read_bytes() for path in environment.rglob("*") if path.is_file()}
    assert environment / "group_vars/all/vault.yml" in written
    (archive,) = collections.glob("*.tar.gz")
    install(collections, archive)
    assert {path: path.read_bytes() for path in environment.rglob("*") if path.is_file()} == written
