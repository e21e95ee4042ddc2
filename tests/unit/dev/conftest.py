# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of scripts: PATH holds nothing but the commands that a test puts there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Fake = Callable[[str, str], Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Return a function that puts a command with a shell script for its body on an otherwise empty PATH."""
    directory = tmp_path / "commands"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))

    def put(name: str, body: str) -> Path:
        command = directory / name
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
        return command

    return put
