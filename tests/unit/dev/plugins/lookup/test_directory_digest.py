# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest follows content, path and executable bit, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.agentsmith.dev.plugins.lookup.directory_digest import LookupModule


def digest(*paths: Path) -> str:
    (result,) = LookupModule().run([str(path) for path in paths], {})
    return result


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small source tree."""
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM base\n")
    (root / "sub" / "run").write_text("#!/bin/sh\n")
    (root / "sub" / "latest").symlink_to("run")
    return root


def test_is_twelve_hexadecimal_digits(tree: Path) -> None:
    assert re.fullmatch("[0-9a-f]{12}", digest(tree))


def test_same_content_elsewhere_gives_the_same_digest(tree: Path, tmp_path: Path) -> None:
    clone = tmp_path / "another" / "checkout"
    shutil.copytree(tree, clone, symlinks=True, copy_function=shutil.copyfile)
    (clone / "Dockerfile").chmod(0o600)
    assert digest(clone) == digest(tree)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "Dockerfile").write_text("FROM other\n"),
        lambda root: (root / "sub" / "run").chmod(0o755),
        lambda root: (root / "sub" / "run").rename(root / "sub" / "start"),
        lambda root: (root / "sub" / "new").touch(),
        lambda root: (root / ".dockerignore").touch(),
        lambda root: ((root / "sub" / "latest").unlink(), (root / "sub" / "latest").symlink_to("nowhere")),
    ],
    ids=["content", "executable bit", "name", "new empty file", "dot file", "link target"],
)
def test_what_counts_changes_the_digest(tree: Path, change: Callable[[Path], object]) -> None:
    before = digest(tree)
    change(tree)
    assert digest(tree) != before


def test_litter_does_not_count(tree: Path) -> None:
    before = digest(tree)
    for name in (
        "sub/__pycache__/run.cpython-313.pyc",
        "stray.pyc",
        ".git/HEAD",
        ".gitignore",
        ".pytest_cache/v",
        ".ruff_cache/v",
    ):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("litter")
    assert digest(tree) == before


def test_moving_bytes_between_files_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x").write_text("12")
    (tmp_path / "a" / "y").write_text("3")
    (tmp_path / "b" / "x").write_text("1")
    (tmp_path / "b" / "y").write_text("23")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")


def test_takes_several_paths_and_single_files(tree: Path) -> None:
    both = digest(tree / "sub", tree / "Dockerfile")
    assert both not in (digest(tree), digest(tree / "sub"), digest(tree / "Dockerfile"))


def test_a_missing_path_is_named(tree: Path) -> None:
    with pytest.raises(AnsibleLookupError, match=r"docker/nowhere does not exist"):
        digest(tree, Path("docker/nowhere"))


def test_no_path_is_an_error() -> None:
    with pytest.raises(AnsibleLookupError, match="at least one"):
        LookupModule().run([], {})
