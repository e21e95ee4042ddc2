# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest few of our images stay, and what is in use; images of others are never touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError
from ansible_collections.agentsmith.dev.plugins.plugin_utils.old_images import (
    removable_images,
    remove_old_images,
)

REDIS = ["localhost/redis:4", "localhost/redis:3", "localhost/redis:2", "localhost/redis:1"]
OTHERS = ["localhost/redis-exporter:1", "docker.io/redis:7", "<none>:<none>"]


@pytest.mark.parametrize(
    ("keep", "used", "removed"),
    [(1, set(), REDIS[1:]), (3, set(), REDIS[3:]), (4, set(), []), (2, {REDIS[3]}, [REDIS[2]])],
)
def test_only_the_oldest_of_our_own_that_nothing_uses_may_go(keep: int, used: set[str], removed: list[str]) -> None:
    assert removable_images([*OTHERS, *REDIS, *OTHERS], ["localhost/redis"], keep, used) == removed


def test_repositories_are_counted_apart() -> None:
    listed = ["localhost/a:2", "localhost/b:2", "localhost/a:1", "localhost/b:1"]
    assert removable_images(listed, ["localhost/a", "localhost/b"], 1, set()) == ["localhost/a:1", "localhost/b:1"]


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman that has REDIS, gives up all but `localhost/redis:1`, and writes down what it removed."""
    program = tmp_path / "podman"
    program.write_text(
        "#!/bin/sh\ncase $1 in\n"
        f"  images) printf '%s\\n' {' '.join(REDIS)} ;;\n"
        "  ps) echo localhost/redis:2 ;;\n"
        f'  rmi) test "$2" != localhost/redis:1 && echo "$2" >> {tmp_path}/removed ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_an_image_that_the_engine_does_not_give_up_stays(podman: Path) -> None:
    assert remove_old_images("podman", ["localhost/redis"], 1, {}) == ["localhost/redis:3"]
    assert (podman / "removed").read_text().split() == ["localhost/redis:3"]


def test_an_engine_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalClusterError, match="podman images failed"):
        remove_old_images("podman", ["localhost/redis"], 1, {})
