# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests against a real API server, without nodes.

AGENTSMITH_KUBERNETES_BIN names the directory that holds etcd, kube-apiserver, kube-controller-manager and kubectl.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.run import Run, Settings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from ansible_playbook import ansible_playbook
from control_plane import BINARIES, ControlPlane, running_control_plane
from engine import Apply, Play, RunPlay
from fault_proxy import FaultProxy, running_fault_proxy

REPOSITORY = Path(__file__).parents[2]
_numbers = count(1)


@pytest.fixture(autouse=True)
def no_connection_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from whatever cluster the environment points to."""
    for name in list(os.environ):
        if name.startswith("K8S_AUTH_") or name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane for the whole session."""
    named = os.environ.get("AGENTSMITH_KUBERNETES_BIN")
    if not named:
        pytest.skip("AGENTSMITH_KUBERNETES_BIN is not set: it names the directory with " + ", ".join(BINARIES))
    missing = [name for name in BINARIES if not os.access(Path(named, name), os.X_OK)]
    if missing:
        pytest.fail(f"AGENTSMITH_KUBERNETES_BIN={named} lacks {', '.join(missing)}")
    with running_control_plane(Path(named).resolve(), tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture
def fault_proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """A proxy before the API server that spoils requests on demand."""
    with running_fault_proxy(control_plane) as proxy:
        yield proxy


@pytest.fixture
def tls_fault_proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """The same with TLS, for a kubeconfig: its token is not sent without."""
    with running_fault_proxy(control_plane, tls=True) as proxy:
        yield proxy


@pytest.fixture
def new_namespace() -> str:
    """The name of a namespace that does not exist."""
    return f"release-{next(_numbers)}"


@pytest.fixture
def namespace(control_plane: ControlPlane, new_namespace: str) -> str:
    """The name of a new, empty namespace."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": new_namespace}}
    status, answer = control_plane.request("POST", "/api/v1/namespaces", body)
    assert status == 201, answer
    return new_namespace


@pytest.fixture(scope="session")
def connection_options(control_plane: ControlPlane) -> dict[str, Any]:
    """Connection options that need no kubeconfig."""
    return {"host": control_plane.url, "api_key": control_plane.token, "ca_cert": str(control_plane.ca_file)}


@pytest.fixture(scope="session")
def apply(connection_options: dict[str, Any]) -> Apply:
    """Run the engine in this process: `apply(objects, options=None, **settings)` returns the result or raises."""

    def run_engine(objects: list[Any], options: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        run = Run(Settings(**{"wait": False, **settings}), Redactor())
        with Connection(options or connection_options) as connection:
            run.execute(connection, objects)
        return run.result()

    return run_engine


@pytest.fixture
def run_play(tmp_path: Path) -> RunPlay:
    """Run ansible-playbook on localhost: `run_play(keywords, variables, *flags)` returns the ended process.

    The keywords are those of one play, or a list of them for as many plays.
    The variables come from a file, as in life: Ansible quotes the lines of a playbook in its errors.
    """
    configuration = tmp_path / "ansible.cfg"
    configuration.write_text(
        f"[defaults]\ncollections_path = {REPOSITORY / '.collections'}\nlocal_tmp = {tmp_path / 'ansible'}\n",
        encoding="utf-8",
    )

    def run(
        keywords: dict[str, Any] | list[dict[str, Any]], variables: dict[str, Any], *flags: str
    ) -> subprocess.CompletedProcess[str]:
        plays = keywords if isinstance(keywords, list) else [keywords]
        plays = [{"hosts": "localhost", "gather_facts": False, **play} for play in plays]
        values = tmp_path / "variables.json"
        values.write_text(json.dumps(variables), encoding="utf-8")
        playbook = tmp_path / "playbook.yml"
        playbook.write_text(json.dumps(plays), encoding="utf-8")
        return ansible_playbook(
            "--inventory=localhost,", f"--extra-vars=@{values}", playbook, *flags, ANSIBLE_CONFIG=str(configuration)
        )

    return run


@pytest.fixture
def play(run_play: RunPlay) -> Play:
    """Run ansible-playbook with one task, apply by default: `play(objects, options, *flags)` returns the ended process.

    None for the objects stands for an action that takes none.
    """

    def run_task(
        objects: list[Any] | None, options: dict[str, Any], *flags: str, action: str = "apply", **play_keywords: Any
    ) -> subprocess.CompletedProcess[str]:
        given = {"objects": "{{ release_objects }}"} if objects is not None else {}
        task = {"name": "Act", f"agentsmith.platform.{action}": {**given, **options}}
        return run_play({**play_keywords, "tasks": [task]}, {"release_objects": objects}, *flags)

    return run_task
