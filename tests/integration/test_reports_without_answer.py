# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that write a file for programs write it of a host that could not be asked, too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import jsonschema
import pytest
import yaml
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane, free_port

REPOSITORY = Path(__file__).parents[2]
SCHEMAS = REPOSITORY / "docs/reference/reports"
NOT_COMPARED = 4
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dead_server(control_plane: ControlPlane, tmp_path: Path) -> Path:
    """A kubeconfig with a server that nobody listens at."""
    path = tmp_path / "dead.kubeconfig"
    path.write_text(control_plane.kubeconfig(server=f"https://127.0.0.1:{free_port()}"), encoding="utf-8")
    return path


@pytest.fixture
def stranger(control_plane: ControlPlane, tmp_path: Path) -> Path:
    """A kubeconfig with a token that the server does not know. This answer takes no time."""
    path = tmp_path / "stranger.kubeconfig"
    path.write_text(control_plane.kubeconfig(token="unknown"), encoding="utf-8")  # noqa: S106  no token
    return path


@pytest.fixture
def run(tmp_path: Path, new_namespace: str) -> Run:
    """Run a playbook for hosts of these kubeconfigs, with variables."""

    def playbook(name: str, hosts: dict[str, Path], *options: str, **variables: Any) -> Any:
        inventory, values = tmp_path / "hosts.yml", tmp_path / "variables.json"
        entries = {host: {"agentsmith_kubeconfig": str(kubeconfig)} for host, kubeconfig in hosts.items()}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": entries}}), encoding="utf-8")
        common = {"dev_checkout": str(REPOSITORY), "agentsmith_namespace": new_namespace, "agentsmith_context": "test"}
        values.write_text(json.dumps({**common, **variables}), encoding="utf-8")
        return ansible_playbook(
            f"playbooks/{name}.yml",
            "--inventory=inventories/dev",
            f"--inventory={inventory}",
            f"--limit={','.join(hosts)}",
            f"--extra-vars=@{values}",
            *options,
        )

    return playbook


def read(report: str, file: Path) -> dict[str, Any]:
    """Return what a playbook has written, which follows its schema."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    schema = json.loads((SCHEMAS / f"{report}.schema.json").read_text(encoding="utf-8"))
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(content)) == []
    return content


@pytest.mark.parametrize(
    ("report", "status"), [("status", 2), ("jobs", 2), ("history", 2), ("verify", 2), ("drift", NOT_COMPARED)]
)
def test_a_server_that_does_not_let_us_in(run: Run, stranger: Path, tmp_path: Path, report: str, status: int) -> None:
    file, junit = tmp_path / "report.json", tmp_path / "verify.xml"
    file.write_text("of yesterday", encoding="utf-8")
    variables = {f"{report}_file": str(file), "verify_junit_file": str(junit)}
    ended = run(report, {"stranger": stranger}, **variables)
    assert ended.returncode == status, ended.stdout + ended.stderr
    content = read(report, file)
    assert list(content) == ["stranger"] and "the credentials" in content["stranger"]["error"]
    if report == "verify":
        (suite,) = xml.parse(junit).getroot()  # noqa: S314  our own
        assert suite.attrib["errors"] == "1" and "the credentials" in suite[0][0].attrib["message"]


def test_one_host_of_two_answers(run: Run, dead_server: Path, control_plane: ControlPlane, tmp_path: Path) -> None:
    alive, file = tmp_path / "kubeconfig", tmp_path / "status.json"
    alive.write_text(control_plane.kubeconfig(), encoding="utf-8")
    ended = run("status", {"alive": alive, "dead": dead_server}, status_file=str(file))
    assert ended.returncode == 2, ended.stdout + ended.stderr
    content = read("status", file)
    assert "workloads" in content["alive"] and "does not answer" in content["dead"]["error"]


@pytest.mark.parametrize(("report", "status"), [("verify", 2), ("drift", NOT_COMPARED)])
def test_an_inventory_with_an_error(run: Run, stranger: Path, tmp_path: Path, report: str, status: int) -> None:
    file = tmp_path / "report.json"
    ended = run(report, {"wrong": stranger}, redis_maxmemory="much", **{f"{report}_file": str(file)})
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert "redis_maxmemory" in read(report, file)["wrong"]["error"]


def test_drift_tells_a_difference_from_a_comparison_that_failed(
    run: Run, control_plane: ControlPlane, stranger: Path, tmp_path: Path
) -> None:
    alive, file = tmp_path / "kubeconfig", tmp_path / "drift.json"
    alive.write_text(control_plane.kubeconfig(), encoding="utf-8")
    variables = {"drift_file": str(file)}
    differs = run("drift", {"alive": alive}, **variables)
    assert differs.returncode == 2, differs.stdout + differs.stderr
    assert read("drift", file)["alive"]["in_sync"] is False
    both = run("drift", {"alive": alive, "stranger": stranger}, **variables)
    assert both.returncode == NOT_COMPARED, both.stdout + both.stderr
    content = read("drift", file)
    assert content["alive"]["in_sync"] is False and list(content["stranger"]) == ["error"]
    wrong = run("drift", {"alive": alive}, drift_format="yaml", **variables)
    assert wrong.returncode == NOT_COMPARED and "Allowed: text, json" in read("drift", file)["alive"]["error"]
