# SPDX-License-Identifier: GPL-3.0-or-later
"""When the stand-in takes itself to be in a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_in.dispatcher.kubernetes_detection import missing_for_cluster

VARIABLES = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A directory as a pod with a ServiceAccount token has it."""
    for name in ("token", "ca.crt", "namespace"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_all_four_are_there(mounted: Path) -> None:
    assert missing_for_cluster(VARIABLES, mounted) == []


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_is_missing(mounted: Path, name: str, value: str | None) -> None:
    environment = {key: text for key, text in (VARIABLES | {name: value}).items() if text is not None}
    assert missing_for_cluster(environment, mounted) == [name]


@pytest.mark.parametrize("name", ["token", "ca.crt"])
def test_a_file_is_missing(mounted: Path, name: str) -> None:
    (mounted / name).unlink()
    assert missing_for_cluster(VARIABLES, mounted) == [str(mounted / name)]


def test_the_namespace_file_is_not_needed(mounted: Path) -> None:
    (mounted / "namespace").unlink()
    assert missing_for_cluster(VARIABLES, mounted) == []
