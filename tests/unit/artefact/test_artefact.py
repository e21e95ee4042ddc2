# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is published works by itself: without the checkout, and without the development machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from installed_collection import User, built_archive, installed_for_user  # noqa: F401  fixtures
from production_copy import CHECKOUT, PASSWORD_SOURCE, copy_production

DEV = CHECKOUT / "dev"
# What runs, and the metadata that says what belongs to it
PRODUCT = ("meta", "playbooks", "plugins", "roles")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
CODE = re.compile(r"^( {4}|```).*$|`[^`]*`", re.MULTILINE)
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


@pytest.fixture(scope="module")
def artefact(user: User) -> Path:
    return user.collection


def product_files(artefact: Path) -> list[Path]:
    return [
        file
        for part in PRODUCT
        for file in sorted((artefact / part).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]


def test_no_folder_of_the_checkout_alone_is_in_it(artefact: Path) -> None:
    folders = {path.name for path in artefact.iterdir() if path.is_dir()}
    assert folders == {*PRODUCT, "changelogs", "docs", "inventories"}
    assert [path.name for path in (artefact / "inventories").iterdir()] == ["prod"]
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


def test_every_link_leads_to_something_in_it(artefact: Path) -> None:
    links = [
        (document, link)
        for document in sorted(artefact.rglob("*.md"))
        for link in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    ]
    assert len(links) > 200
    assert not [
        (str(document.relative_to(artefact)), link)
        for document, link in links
        if not (document.parent / link.partition("#")[0]).exists()
    ]


# What galaxy.yml leaves out, as messages and documents would name it
CHECKOUT_ONLY = re.compile(
    r"(?<![\w/.-])(?:docker|molecule|tests|tools|dev/(?:roles|plugins))/\w|inventories/dev\b|playbooks/local_cluster"
    r"|`make \w|\bmake (?:clean|contract|deploy|integration|lint|molecule|scan|test|unit)\b"
)
REPOSITORY = "repository"


def texts_of_code(artefact: Path) -> Iterator[tuple[str, str]]:
    """What playbooks, roles and plugins may show or say in documentation: everything but comments."""
    for file in product_files(artefact):
        if file.suffix == ".py":
            tree = ast.parse(file.read_text())
            comments = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in comments:
                    yield str(file.relative_to(artefact)), node.value
        elif file.suffix == ".yml":
            lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
            yield str(file.relative_to(artefact)), "\n".join(lines)


def test_what_only_the_repository_has_is_said_to_be_there(artefact: Path) -> None:
    found = {(file, text) for file, text in texts_of_code(artefact) if CHECKOUT_ONLY.search(text)}
    # The one is a path that is looked for, the other a message
    assert {file for file, _text in found} >= {"plugins/plugin_utils/actions/vault_values.py"}
    assert not {(file, text) for file, text in found if REPOSITORY not in text and text != "/inventories/dev/"}
    documents = {file: file.read_text(encoding="utf-8") for file in artefact.rglob("*.md")}
    naming = {file for file, text in documents.items() if CHECKOUT_ONLY.search(text) and "decisions/0" not in str(file)}
    assert len(naming) > 10
    assert not {str(file.relative_to(artefact)) for file in naming if f"[{REPOSITORY}](" not in documents[file]}


def test_commands_work_without_a_checkout(artefact: Path) -> None:
    """A playbook has a full name, under which it is found in a checkout as well."""
    files = [*product_files(artefact), *artefact.glob("docs/how-to/*"), *artefact.glob("docs/reference/*.md")]
    by_path = re.compile(r"ansible-playbook (?!playbooks/local_cluster)\S*playbooks/")
    assert not {str(file.relative_to(artefact)) for file in files if by_path.search(file.read_text(encoding="utf-8"))}


def test_every_plugin_can_be_imported(user: User) -> None:
    imported = user.run("python", "-c", IMPORT_ALL, user.collection).splitlines()
    assert len(imported) > 100


def test_every_playbook_is_valid(user: User, artefact: Path) -> None:
    names = [f"agentsmith.platform.{path.stem}" for path in sorted((artefact / "playbooks").glob("*.yml"))]
    assert "agentsmith.platform.deploy" in names
    user.run("ansible-playbook", "--syntax-check", "-i", "localhost,", *names)


def test_every_plugin_and_role_is_documented(user: User) -> None:
    user.run("ansible-doc", "--metadata-dump", "agentsmith.platform")


def test_it_renders_production(user: User, tmp_path: Path) -> None:
    copy_production(tmp_path / "inventory")
    options = [
        "-i",
        tmp_path / "inventory",
        "--vault-id",
        f"prod@{PASSWORD_SOURCE}",
        "-e",
        f"render_dir={tmp_path}/out",
    ]
    user.run("ansible-playbook", "agentsmith.platform.render", "--limit", "prod-eu", *options)
    kinds = {yaml.safe_load(path.read_text())["kind"] for path in (tmp_path / "out").rglob("*.yaml")}
    assert {"Deployment", "Secret", "Gateway"} <= kinds
    # A relative path is one of the directory in which the user is
    user.run("ansible-playbook", "agentsmith.platform.images", "-e", "images_file=images.txt", *options)
    assert "redis" in (user.home / "images.txt").read_text()


def test_a_new_environment_outlives_the_next_installation(user: User, archive: Path, environment: Path) -> None:
    """It lies where its user is, and `install --force` takes nothing away."""
    written = user.content("inventories")
    assert environment / "group_vars/all/vault.yml" in written
    user.install(archive)
    assert user.content("inventories") == written


@pytest.fixture(scope="module")
def environment(user: User) -> Path:
    """An inventory that the user has made."""
    answers = user.home / "answers.yml"
    answers.write_text(yaml.safe_dump(ANSWERS))
    (user.home / "password").write_text(ANSWERS["new_environment_vault_password"])
    make = ("ansible-playbook", "agentsmith.platform.new_environment", "-e", f"@{answers}")
    made = user.home / "inventories/staging"
    assert f"Would create {made}. " in user.run(*make, "--check")
    assert not made.exists()
    output = user.run(*make)
    assert f"ansible-playbook agentsmith.platform.deploy -i {made} " in " ".join(output.split())
    return made


# What the process cannot import, as if it was not installed
HIDDEN = """
import sys
class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("kubernetes", "urllib3", "websocket"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Hidden)
"""
MISSING = "The Python package kubernetes (35 or newer) is not installed for"
WITHOUT_CLUSTER = {"new_environment", "render", "images"}


@pytest.fixture
def without_package(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody whose Python lacks what talking to a cluster needs."""
    (tmp_path / "sitecustomize.py").write_text(HIDDEN)
    return {"PYTHONPATH": str(tmp_path)}


def test_every_playbook_names_what_is_not_installed(
    user: User, artefact: Path, environment: Path, without_package: dict[str, str]
) -> None:
    options = ["-i", environment, "--vault-id", "staging@password", "-e", "rotate_secrets_keys=github-token"]
    options += ["-e", f"support_bundle_dir={user.home}"]
    names = {path.stem for path in (artefact / "playbooks").glob("*.yml")} - WITHOUT_CLUSTER
    assert {"deploy", "status", "verify"} <= names
    # With an external Secret it is the rendering that connects first
    for name, *more in [*([name] for name in sorted(names)), ["deploy", "-e", "secrets_existing_name=of-others"]]:
        ended = user.call("ansible-playbook", f"agentsmith.platform.{name}", *options, *more, **without_package)
        # 4 would be a cluster that does not answer; of drift, one that was not compared
        assert ended.returncode == (4 if name == "drift" else 2), ended.stdout
        error = next(part for part in ended.stdout.split("[ERROR]: ")[1:])
        assert MISSING in " ".join(error.split("fatal:")[0].split()), (name, ended.stdout)
        assert "Traceback" not in ended.stdout


def test_a_table_is_shown_as_lines(artefact: Path) -> None:
    """A text of several lines is one line with line breaks in it under Ansible's default output."""
    files = [*artefact.glob("playbooks/*.yml"), *artefact.glob("roles/*/tasks/*.yml")]
    shown = re.findall(
        r"ansible\.builtin\.debug:\n +msg: \"(.*\.(?:text|table|summary|conversation)\b.*)\"",
        "".join(map(Path.read_text, files)),
    )
    assert len(shown) > 8
    assert not [text for text in shown if "debug_text" not in text]


def test_every_module_names_what_is_not_installed(
    user: User, artefact: Path, tmp_path: Path, without_package: dict[str, str]
) -> None:
    group = yaml.safe_load((artefact / "meta/runtime.yml").read_text())["action_groups"]["cluster"]
    # It need not connect: a playbook has it connect above
    modules = [module for module in group if module != "render_release"]
    assert {"apply", "teardown"} <= {*modules}
    tasks = [{f"agentsmith.platform.{module}": {}, "ignore_errors": True} for module in modules]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    output = user.run("ansible-playbook", tmp_path / "play.yml", **without_package)
    assert output.count("[ERROR]: ") == len(modules)
    assert " ".join(output.split()).count(f"failed: {MISSING}") == len(modules), output
