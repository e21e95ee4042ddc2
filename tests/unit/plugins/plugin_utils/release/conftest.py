# SPDX-License-Identifier: GPL-3.0-or-later
"""Every run is tested both ways: with lists of the live objects, and with one read an object."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import run
from in_memory_release import InMemoryRelease


@pytest.fixture(autouse=True, params=["lists", "single reads"])
def reads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the live objects are read."""
    if request.param == "single reads":
        monkeypatch.setattr(run, "list_live", lambda *_: {})
    return str(request.param)


@pytest.fixture
def release() -> InMemoryRelease:
    """A release that is not installed."""
    return InMemoryRelease()
