# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane, whose test equipment lies beside the integration tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from control_plane import ControlPlane, running_control_plane


@pytest.fixture
def control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A running control plane."""
    with running_control_plane(Path(os.environ["AGENTSMITH_KUBERNETES_BIN"]).resolve(), tmp_path) as running:
        yield running
