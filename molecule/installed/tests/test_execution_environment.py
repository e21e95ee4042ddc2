# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a release from inside an execution environment, which ansible-builder makes as the README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.dev.plugins.lookup.directory_digest import digest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine, kind_node
from conftest import CHECKOUT, CLUSTER
from execution_environment import shown_definition
from installed_collection import built_archive, new_environment  # noqa: F401  a fixture
from namespaces import removed
from newcomer import ENVIRONMENT, Newcomer, assert_no_secret, cluster_images
from packaging.requirements import Requirement

pytestmark = pytest.mark.long

NAMESPACE = "agentsmith-environment"
BUILDER = "ansible-builder>=3.1,<4"
BASE = CHECKOUT / "docker/base"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "agentsmith.platform")
# The home directory of the image's user
HOME = Path("/runner")
AUTHORITIES = "/usr/local/share/authorities.crt"


@dataclass(frozen=True)
class Engine:
    """The container engine that has the cluster: it is known to run containers here."""

    name: str
    variables: dict[str, str]

    def run(self, *command: object) -> None:
        """Run a program that calls the engine. It has to succeed."""
        # Without layers in between: podman would keep those of every run
        surroundings = os.environ | self.variables | {"BUILDAH_LAYERS": "false"}
        ended = subprocess.run(
            list(map(str, command)),
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-5000:]


@dataclass(frozen=True)
class Contained(Newcomer):
    """A user whose programs are those of an image. They see what a deploy needs of the home directory, to be read."""

    engine: Engine
    image: str

    def call(
        self, program: str, *arguments: object, stdin: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a new container, as the image's own user."""
        seen = [f"--volume={self.home / name}:{HOME / name}:ro" for name in (".kube", "inventories", "password")]
        command = ["run", "--rm", "--network=host", *seen, self.image, program, *arguments]
        # The images of a rootless podman are in the real home directory
        around = {"HOME": str(Path.home()), **self.engine.variables, **variables}
        return super().call(self.engine.name, *command, stdin=stdin, **around)

    def run_with_runner(self, playbook: str) -> list[dict[str, Any]]:
        """Run a playbook as AWX does, with ansible-runner, and return its events."""
        options = ["--json", f"--inventory={HOME / ENVIRONMENT}", f"--cmdline=--vault-id staging@{HOME / 'password'}"]
        output = self.run("ansible-runner", "run", HOME, *options, "--playbook", playbook)
        assert_no_secret(output)
        return [json.loads(line) for line in output.splitlines()]


def definition(archive: Path, base: str) -> dict[str, Any]:
    """Return the README's definition, with a base image of our own and the archive in place of Galaxy."""
    shown = shown_definition()
    assert shown["dependencies"]["galaxy"] == {"collections": ["agentsmith.platform"]}
    shown["dependencies"]["galaxy"]["collections"] = [{"name": f"files/{archive.name}", "type": "file"}]
    shown["images"]["base_image"]["name"] = base
    shown["additional_build_files"] = [{"src": str(archive), "dest": "files"}]
    # This machine may reach the package index by a proxy with a certificate of its own
    authorities = ssl.get_default_verify_paths().cafile
    if authorities:
        shown["additional_build_files"].append({"src": authorities, "dest": "files"})
        copied = f"COPY _build/files/{Path(authorities).name} {AUTHORITIES}"
        shown["additional_build_steps"]["prepend_base"] += [copied, f"ENV PIP_CERT={AUTHORITIES}"]
    return shown


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine of the cluster."""
    node = kind_node.find_node(CLUSTER, container_engine.ENGINES)
    assert node, f"no container engine has the cluster {CLUSTER}"
    return Engine(node.engine, container_engine.environment(node.engine, str(CACHE)))


@pytest.fixture(scope="module")
def image(archive, engine, tmp_path_factory) -> Iterator[str]:
    """An execution environment that has the archive."""
    context = tmp_path_factory.mktemp("context")
    file, name = context / "definition.yml", f"localhost/agentsmith-execution-environment:{uuid.uuid4().hex[:12]}"
    base = f"localhost/agentsmith-base:{digest([str(BASE)])}"
    engine.run(BASE / "build", engine.name, base)
    file.write_text(yaml.safe_dump(definition(archive, base)))
    builder = new_environment(Path(sys.executable), tmp_path_factory.mktemp("builder"), [BUILDER]) / "ansible-builder"
    options = ["--context", context / "context", "--container-runtime", engine.name, "--tag", name, "--verbosity", 3]
    engine.run(builder, "build", "--file", file, *options, "--extra-build-cli-args=--network=host")
    yield name
    engine.run(engine.name, "rmi", name)


@pytest.fixture
def user(archive, engine, image, playbook, tmp_path, kubectl) -> Iterator[Contained]:
    """A user with an inventory and the image."""
    author = Newcomer(Path(sys.executable).parent, tmp_path)
    author.install(archive)
    author.take_kubeconfig()
    images = cluster_images(playbook, tmp_path)
    author.answer(images, NAMESPACE)
    author.setting(redis_image=images["agentsmith-redis"])
    # The image's user is another one than this. Nobody else gets to these files: pytest's directory is closed.
    for file in tmp_path.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    with removed(kubectl, NAMESPACE):
        yield Contained(Path(shutil.which(engine.name)).parent, tmp_path, engine, image)


def test_the_image_has_what_the_collection_names(user: Contained) -> None:
    assert "agentsmith.platform.apply" in user.run("ansible-doc", "agentsmith.platform.apply").casefold()
    version = user.run("python3", "-c", "import kubernetes; print(kubernetes.__version__)")
    (allowed,) = (CHECKOUT / "requirements.txt").read_text().split()
    assert Requirement(allowed).specifier.contains(version.strip())


def test_a_release_lives_from_inside(user: Contained, kubectl) -> None:
    events = user.run_with_runner("agentsmith.platform.deploy")
    assert [event["event_data"]["failures"] for event in events if event["event"] == "playbook_on_stats"] == [{}]
    user.play("deploy", changed=0)
    assert re.search(r"^\W*challenge +ok ", user.play("verify", changed=0), re.MULTILINE)
    user.play("teardown", "-e", f"teardown_confirm={NAMESPACE}")
    assert not kubectl("get namespace %s --ignore-not-found -o name", NAMESPACE)
