# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a connection: what it reads, and what it leaves behind."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions import cluster_action
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.cluster_action import ClusterAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import connection as connection_module
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.retry import FIRST_CONTACT_PERIOD, OUTAGE_PERIOD
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ConnectionFailed
from kubernetes.client import Configuration
from test_retry import Clock

KEY = "-----BEGIN PRIVATE KEY-----\nmarked-private-key\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """The path of a kubeconfig that holds a private key inline."""
    key = base64.b64encode(KEY.encode()).decode()
    content: dict[str, Any] = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example:6443"}}],
        "users": [{"name": "c", "user": {"client-key-data": key, "client-certificate-data": key}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def files_below(directory: Path) -> list[Path]:
    """Return all files below a directory."""
    return [path for path in directory.rglob("*") if path.is_file()]


def test_keys_are_in_files_of_our_own_only_and_only_while_it_is_open(kubeconfig: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    usual = tempfile.tempdir
    with Connection({"kubeconfig": kubeconfig}, scratch_directory=str(scratch)) as connection:
        assert connection.host == "https://cluster.example:6443"
        found = files_below(scratch)
        assert KEY in [path.read_text(encoding="utf-8") for path in found]
        assert all(path.stat().st_mode & 0o077 == 0 for path in found)
        assert tempfile.tempdir == usual
    assert files_below(scratch) == []
    with pytest.raises(RuntimeError), Connection({"kubeconfig": kubeconfig}, scratch_directory=str(scratch)):
        raise RuntimeError
    assert list(scratch.iterdir()) == []


def test_a_connection_that_cannot_be_opened_leaves_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with (
        pytest.raises(ConnectionFailed, match="does not exist"),
        Connection({"kubeconfig": str(tmp_path / "missing")}, scratch_directory=str(scratch)),
    ):
        pass
    assert list(scratch.iterdir()) == []


def test_one_connection_does_not_shine_through_another(kubeconfig: str) -> None:
    with Connection({"kubeconfig": kubeconfig}):
        pass
    assert Configuration.get_default_copy().host != "https://cluster.example:6443"


@pytest.mark.parametrize(
    ("in_contact", "given_up_after", "message"),
    [(False, FIRST_CONTACT_PERIOD, "does not answer"), (True, OUTAGE_PERIOD, "stopped answering")],
)
def test_contact_of_an_earlier_task_counts(in_contact: bool, given_up_after: float, message: str) -> None:
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.now += seconds

    nobody = {"host": "http://127.0.0.1:1", "api_key": "token"}
    with (
        pytest.raises(ConnectionFailed, match=message),
        Connection(nobody, clock=clock, sleep=sleep, in_contact=in_contact) as connection,
    ):
        connection.get("/version")
    assert clock.now - Clock().now == pytest.approx(given_up_after)


@pytest.mark.parametrize(("options", "expected"), [({}, False), ({"holder": ""}, False), ({"holder": "me"}, True)])
def test_a_task_that_goes_on_with_a_deploy_was_in_contact(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: bool
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(cluster_action, "Connection", lambda _options, **settings: made.append(settings["in_contact"]))
    ClusterAction.connection(options)
    assert made == [expected]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "IMPORT_FAULT", "No module named 'kubernetes'")
    with pytest.raises(ConnectionFailed, match="No module named 'kubernetes'.*Install the Python package"):
        Connection({})
