# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a connection: what it reads, and what it leaves behind."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.module_utils import connection as connection_module
from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ConnectionFailed
from kubernetes.client import Configuration

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


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "IMPORT_FAULT", "No module named 'kubernetes'")
    with pytest.raises(ConnectionFailed, match="No module named 'kubernetes'.*Install the Python package"):
        Connection({})
