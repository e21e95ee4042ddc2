# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to a directory: what is there afterwards, what is told, and whose files are left alone."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s"},
    "data": {"token": "TUFSS0VE"},
    "stringData": {"other": "MARKED"},
}


def config_map(name: str, value: str = "1") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}}


def write(name: str, dest: Path, objects: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    options = {"objects": objects, "dest": str(dest), **rest.pop("options", {})}
    return {"name": name, "agentsmith.platform.write_manifests": options, **rest}


@pytest.fixture(scope="module")
def dest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dest") / "rendered"


@pytest.fixture(scope="module")
def played(play: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, dest: Path) -> Any:
    """One directory through its life, in one play with diffs at the highest verbosity."""
    foreign = dest.parent / "foreign"
    foreign.mkdir()
    (foreign / "configmap-a.yaml").write_text("theirs: true\n")
    (dest.parent / "file").write_text("")
    both = [config_map("a"), config_map("b"), SECRET]
    tasks = [
        write("preview", dest, both, check_mode=True),
        write("first", dest, both),
        write("again", dest, both),
        write("changed", dest, [config_map("a", "2"), config_map("b"), SECRET]),
        write("partly", dest, [config_map("c"), SECRET], options={"complete": False}),
        write("preview of removal", dest, [config_map("c")], check_mode=True),
        write("whole", dest, [config_map("a", "2"), config_map("c"), SECRET]),
        write("foreign", foreign, [config_map("a"), config_map("b")]),
        write("not a directory", dest.parent / "file", [config_map("a")]),
        write("no object", dest, [{"kind": "ConfigMap"}]),
        write("twice", dest, [config_map("a"), config_map("a")]),
    ]
    return play(tmp_path_factory.mktemp("play"), tasks, "-vvvv", "--diff")


def changes(result: dict[str, Any]) -> dict[str, str]:
    told = {file["path"]: file["result"] for file in result["files"] if file["result"] != "unchanged"}
    assert result["changed"] is bool(told)
    return told


def test_first_run_creates(played: Any) -> None:
    created = dict.fromkeys(
        ["Kustomization", "configmap-a.yaml", "configmap-b.yaml", "secrets/secret-s.yaml"], "created"
    )
    assert changes(played.results["preview"]) == created
    assert changes(played.results["first"]) == created


def test_second_run_changes_nothing(played: Any) -> None:
    assert changes(played.results["again"]) == {}


def test_only_what_differs_is_written(played: Any) -> None:
    assert changes(played.results["changed"]) == {"configmap-a.yaml": "updated"}


def test_a_part_leaves_the_rest(played: Any) -> None:
    assert changes(played.results["partly"]) == {"Kustomization": "updated", "configmap-c.yaml": "created"}


def test_the_whole_removes_what_is_gone(played: Any, dest: Path) -> None:
    removed = {"configmap-a.yaml", "configmap-b.yaml", "secrets/secret-s.yaml"}
    preview = changes(played.results["preview of removal"])
    assert preview == {**dict.fromkeys(removed, "removed"), "Kustomization": "updated"}
    assert changes(played.results["whole"]) == {"Kustomization": "updated", "configmap-b.yaml": "removed"}
    paths = {str(path.relative_to(dest)) for path in dest.rglob("*") if path.is_file()}
    assert paths == {"Kustomization", "configmap-a.yaml", "configmap-c.yaml", "secrets/secret-s.yaml"}
    assert (dest / "Kustomization").read_text().endswith("- configmap-a.yaml\n- configmap-c.yaml\n")


def test_everybody_may_read(played: Any, dest: Path) -> None:
    assert played.results["whole"]["dest"] == str(dest)
    assert {stat.S_IMODE(path.stat().st_mode) for path in dest.rglob("*") if path.is_file()} == {0o644}


def test_foreign_files_stop_it_before_it_writes(played: Any, dest: Path) -> None:
    message = played.results["foreign"]["msg"]
    assert "did not write and will not overwrite: configmap-a.yaml" in message
    assert [path.name for path in (dest.parent / "foreign").iterdir()] == ["configmap-a.yaml"]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("not a directory", "dest cannot be used: "),
        ("no object", "no kind or no metadata.name"),
        ("twice", "Two objects would be written to configmap-a.yaml"),
    ],
)
def test_bad_input_is_refused(played: Any, task: str, text: str) -> None:
    assert text in played.results[task]["msg"]


def test_diff_shows_the_change(played: Any) -> None:
    assert "-  key: '1'" in played.output
    assert "+  key: '2'" in played.output


def test_no_secret_is_written_or_shown(played: Any, dest: Path) -> None:
    for text in [played.output, *(path.read_text() for path in dest.rglob("*") if path.is_file())]:
        assert "MARKED" not in text
        assert "TUFSS0VE" not in text


def test_a_filled_in_secret_does_not_show_in_the_diff(play: Callable[..., Any], tmp_path: Path) -> None:
    directory = tmp_path / "rendered"
    first = play(tmp_path, [write("first", directory, [SECRET])])
    assert first.results["first"] is not None
    path = directory / "secrets/secret-s.yaml"
    path.write_text(path.read_text() + "stringData: {token: FILLED-IN}\n")
    again = play(tmp_path, [write("again", directory, [SECRET])], "--diff", "-vvvv")
    assert changes(again.results["again"]) == {"secrets/secret-s.yaml": "updated"}
    assert "FILLED-IN" not in again.output
