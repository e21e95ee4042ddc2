# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML file of this collection is parsed once, and again if it is another. No file of others is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.cache import parsed_files
from ansible_collections.agentsmith.platform.plugins.plugin_utils.cache.parsed_files import parsed_file

SOURCE = "a: &part [1, {b: null}]\nc: *part\nd: [true, 1.5, 'é']\n"
CONTENT = {"a": [1, {"b": None}], "c": [1, {"b": None}], "d": [True, 1.5, "é"]}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was parsed so far."""
    seen: list[bytes] = []
    load = parsed_files.yaml_load

    def note(content: bytes) -> Any:
        seen.append(content)
        return load(content)

    monkeypatch.setattr(parsed_files, "yaml_load", note)
    return seen


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of the collection."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(parsed_files, "_ROLES", tmp_path / "roles")
    parsed_files._files.cache_clear()
    path = tmp_path / "roles/part.yml"
    path.parent.mkdir()
    path.write_text(SOURCE, encoding="utf-8")
    yield path
    parsed_files._files.cache_clear()


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_file_is_parsed_once(file: Path, parsed: list[bytes]) -> None:
    assert [parsed_file(file), parsed_file(file)] == [CONTENT, CONTENT]
    assert len(parsed) == 1


def test_a_changed_file_is_parsed_again(file: Path, parsed: list[bytes], tmp_path: Path) -> None:
    parsed_file(file)
    file.write_text("changed: true\n")
    assert [parsed_file(file), parsed_file(file)] == [{"changed": True}] * 2
    assert len(parsed) == 2
    assert len(kept(tmp_path)) == 1


def test_what_one_caller_changes_no_other_sees(file: Path) -> None:
    for _ in range(2):
        content = parsed_file(file)
        assert content == CONTENT
        content["a"].clear()


def test_a_spoilt_copy_is_made_anew(file: Path, parsed: list[bytes], tmp_path: Path) -> None:
    parsed_file(file)
    kept(tmp_path)[0].write_bytes(b"spoilt")
    assert [parsed_file(file), parsed_file(file)] == [CONTENT, CONTENT]
    assert len(parsed) == 2


def test_nothing_of_a_file_of_others_is_kept(parsed: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text("secret: MARKED\n")
    assert [parsed_file(path), parsed_file(path)] == [{"secret": "MARKED"}] * 2
    assert len(parsed) == 2
    assert kept(tmp_path) == []


def test_what_cannot_be_kept_is_parsed_each_time(file: Path, parsed: list[bytes]) -> None:
    file.write_text("date: 2026-11-29\n")
    assert parsed_file(file) == parsed_file(file)
    assert len(parsed) == 2


def test_a_file_that_is_not_there_is_missing(file: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parsed_file(file.with_name("missing.yml"))
