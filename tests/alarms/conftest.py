# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane, whose test equipment lies beside the integration tests. `make alarms` names the programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from control_plane import ControlPlane, running_control_plane


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane for the whole session."""
    binaries = Path(os.environ["AGENTSMITH_KUBERNETES_BIN"]).resolve()
    with running_control_plane(binaries, tmp_path_factory.mktemp("control-plane")) as running:
        yield running
