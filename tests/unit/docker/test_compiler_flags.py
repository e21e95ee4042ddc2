# SPDX-License-Identifier: GPL-3.0-or-later
"""All programs are compiled with the same flags: Go keeps what it compiles by them, and all share its library."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SCRIPTS = {
    str(path.relative_to(REPOSITORY)): path.read_text()
    for pattern in ("docker/*/*", "tests/*", "tests/*/*")
    for path in REPOSITORY.glob(pattern)
    if path.is_file() and path.read_bytes().startswith(b"#!") and b"-buildvcs=false" in path.read_bytes()
}


def test_the_scripts_are_found() -> None:
    assert {"docker/kind-node/compile", "docker/way-in/compile", "tests/install-program", "tests/scan/install"} <= {
        *SCRIPTS
    }


@pytest.mark.parametrize("script", sorted(SCRIPTS))
@pytest.mark.parametrize("flag", ["CGO_ENABLED=0", "-trimpath", "-gcflags all=-dwarf=false"])
def test_a_script_compiles_as_the_others(script: str, flag: str) -> None:
    assert flag in SCRIPTS[script]
