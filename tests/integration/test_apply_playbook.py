# SPDX-License-Identifier: GPL-3.0-or-later
"""The task as a user runs it: ansible-playbook in a process of its own, against a real API server."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from control_plane import ControlPlane
from engine import Play
from release_objects import a_config_map, a_deployment, a_release, a_secret

# With the characters that encodings change.
OLD, NEW = "MARK/old+value=1&x y", "MARK/new+value=2&x y"


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, tmp_path: Path) -> str:
    """The path of a kubeconfig of the control plane."""
    path = tmp_path / "kubeconfig"
    path.write_text(control_plane.kubeconfig(), encoding="utf-8")
    return str(path)


def assert_secret(ended: subprocess.CompletedProcess[str]) -> None:
    """Check that no encoding of a marked value is in what a run printed."""
    output = ended.stdout + ended.stderr
    for value in (OLD, NEW):
        encoded = base64.b64encode(value.encode()).decode()
        urlsafe = base64.urlsafe_b64encode(value.encode()).decode()
        for form in (value, encoded, encoded.rstrip("="), urlsafe, quote(value), quote(value, ""), quote_plus(value)):
            assert form not in output
    assert "MARK" not in output


def recap(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the line that counts the results of the run."""
    return next(line for line in ended.stdout.splitlines() if "changed=" in line)


def test_no_output_shows_a_secret(play: Play, kubeconfig: str, namespace: str) -> None:
    options = {"kubeconfig": kubeconfig, "wait": False}
    for value, flags in ((OLD, ["--check"]), (OLD, []), (NEW, ["--check"]), (NEW, [])):
        ended = play([a_secret(namespace, **{"github-token": value})], options, "-vvv", "--diff", *flags)
        assert ended.returncode == 0, ended.stdout
        assert "github-token" in ended.stdout
        assert_secret(ended)
    ended = play([a_secret(namespace)], {**options, "state": "absent"}, "-vvv", "--diff")
    assert "changed=1" in recap(ended)
    assert_secret(ended)


def wrong_objects(namespace: str) -> dict[str, Any]:
    """Return lists of objects that are refused, each with a marked value near the fault."""
    number = a_secret(namespace)
    number["stringData"] = {"github-token": ["MARK", 1]}
    no_base64 = a_secret(namespace)
    no_base64["data"] = {"github-token": NEW}
    nameless = a_secret(namespace, **{"github-token": NEW})
    del nameless["metadata"]["name"]
    bad_key = a_secret(namespace, **{"github token": NEW})
    quoting = a_deployment(namespace)
    quoting["spec"]["template"]["spec"]["containers"][0]["name"] = NEW
    secret = a_secret(namespace, **{"github-token": NEW})
    return {
        "a value that is no text": [number],
        "data that is not base64": [no_base64],
        "a secret without a name": [nameless],
        "a key that the server refuses": [bad_key],
        "a value that the server quotes": [secret, quoting],
        "a text instead of a list": f"MARK {NEW}",
        "a list of texts": [f"MARK {NEW}"],
        "a dictionary": {"MARK": NEW},
    }


@pytest.mark.parametrize("case", wrong_objects(""))
def test_no_error_shows_a_secret(play: Play, kubeconfig: str, namespace: str, case: str) -> None:
    ended = play(wrong_objects(namespace)[case], {"kubeconfig": kubeconfig, "wait": False}, "-vvv", "--diff")
    assert ended.returncode == 2
    assert_secret(ended)


def test_an_unchanged_release_reports_no_change(play: Play, kubeconfig: str, new_namespace: str) -> None:
    options = {"kubeconfig": kubeconfig, "wait": False}
    assert "changed=1" in recap(play(a_release(new_namespace), options))
    assert "changed=0" in recap(play(a_release(new_namespace), options))


def test_nothing_is_left_in_temporary_directories(
    play: Play,
    kubeconfig: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    assert play([a_config_map(namespace)], {"kubeconfig": kubeconfig, "wait": False}).returncode == 0
    left = [path for root in (temporary, tmp_path / "ansible") for path in root.rglob("*") if path.is_file()]
    assert left == []


def test_the_connection_is_set_once_for_a_play(play: Play, kubeconfig: str, namespace: str) -> None:
    defaults = {"group/agentsmith.platform.cluster": {"kubeconfig": kubeconfig, "context": "test"}}
    ended = play([a_config_map(namespace)], {}, module_defaults=defaults)
    assert "changed=1" in recap(ended)


def test_a_run_that_fails_half_way_says_what_it_did(play: Play, kubeconfig: str, namespace: str) -> None:
    refused = a_deployment(namespace)
    refused["spec"]["selector"]["matchLabels"] = {"app": "other"}
    ended = play([a_secret(namespace, token="ghp_0123456789"), refused], {"kubeconfig": kubeconfig}, "--diff")
    assert ended.returncode == 2
    assert '"changed": true' in ended.stdout
    assert '"result": "created"' in ended.stdout
    assert "Deployment" in ended.stdout
    assert "was refused (422)" in ended.stdout
