# SPDX-License-Identifier: GPL-3.0-or-later
"""Only a whole file that nobody but this user can have written is read; whatever else is there is as if it were not."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.cache.private_files import PrivateFiles

CONTENT = b"compiled"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that C(XDG_CACHE_HOME) names, which is still to be made."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def kept() -> Path:
    """Keep a content; return its file."""
    PrivateFiles("things").write("name", b"source", CONTENT)
    return Path(os.environ["XDG_CACHE_HOME"]) / "agentsmith.platform/things/name"


def found(made_from: bytes = b"source") -> bytes | None:
    return PrivateFiles("things").read("name", made_from)


def test_a_content_is_found_by_the_next_run() -> None:
    assert found() is None
    file = kept()
    assert found() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(directory.stat().st_mode) for directory in list(file.parents)[:3]} == {0o700}


def test_a_content_that_was_made_from_another_thing_is_not_found() -> None:
    kept()
    assert found(b"changed source") is None


def spoil(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


def to_a_link(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


SPOILT: dict[str, Callable[[Path], object]] = {
    "its digest": lambda file: spoil(file, 0),
    "its content": lambda file: spoil(file, -1),
    "cut short": lambda file: os.truncate(file, file.stat().st_size - 1),
    "cut within the digest": lambda file: os.truncate(file, 5),
    "empty": lambda file: os.truncate(file, 0),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "a directory": lambda file: (file.unlink(), file.mkdir()),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "a link": to_a_link,
    "written by the group": lambda file: file.chmod(0o620),
    "written by all": lambda file: file.chmod(0o602),
}


@pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
def test_what_is_spoilt_is_not_found_and_made_anew(change: Callable[[Path], object]) -> None:
    change(file := kept())
    assert found() is None
    if not file.is_dir():
        assert kept() == file
        assert found() == CONTENT


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
@pytest.mark.parametrize("level", [0, 1, 2, 3], ids=["things", "agentsmith.platform", "cache", "above"])
def test_a_directory_that_others_may_write_to_is_not_used(mode: int, level: int) -> None:
    file = kept()
    file.parents[level].chmod(mode)
    assert found() is None
    before = file.stat()
    kept()
    assert file.stat() == before


def test_a_directory_that_all_write_to_is_safe_if_only_owners_remove_what_is_in_it(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o1777)
    kept()
    assert found() == CONTENT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("level", [None, 0, 1, 2, 3], ids=["file", "things", "agentsmith.platform", "cache", "above"])
def test_what_belongs_to_another_user_is_not_used(level: int | None) -> None:
    file = kept()
    os.chown(file if level is None else file.parents[level], 65534, 65534)
    assert found() is None
    if level is not None:
        kept()
        assert found() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_root_with_the_home_of_another_user_leaves_nothing_there(cache: Path) -> None:
    cache.parent.chmod(0o700)
    os.chown(cache.parent, 65534, 65534)
    kept()
    assert not cache.exists()


@pytest.mark.parametrize(
    "place", ["/dev/null", "/proc/nothing", "a file"], ids=["no directory", "read-only", "a file in the way"]
)
def test_without_a_directory_nothing_is_kept(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / place))
    kept()
    assert found() is None


def test_a_relative_path_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    PrivateFiles("things").write("name", b"source", CONTENT)
    assert found() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_disk_that_is_full_costs_nothing_but_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    file = kept()
    assert found() is None
    assert list(file.parent.iterdir()) == []


def test_runs_at_the_same_time_find_a_whole_content_or_none() -> None:
    def run(number: int) -> bytes | None:
        PrivateFiles("things").write("name", b"source", CONTENT * (1000 + number))
        return found()

    with ThreadPoolExecutor(8) as executor:
        contents = list(executor.map(run, range(200)))
    assert None not in contents
    assert {content.replace(CONTENT, b"") for content in contents if content} == {b""}
    assert [file.name for file in kept().parent.iterdir()] == ["name"]
