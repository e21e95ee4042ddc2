# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what a real build does otherwise: it cannot name a test that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from known_differences import KNOWN_DIFFERENCES, KnownDifference


@pytest.mark.parametrize("known", KNOWN_DIFFERENCES, ids=lambda known: known.test)
def test_every_line_is_about_a_test(known: KnownDifference, request: pytest.FixtureRequest) -> None:
    file = known.test.partition("::")[0]
    assert Path(__file__).with_name(file).is_file(), f"{file} is gone"
    tests = [item for item in request.session.items if item.path.name == file]
    part = request.config.option.keyword or any("::" in argument for argument in request.config.args)
    if not tests or part:
        pytest.skip(f"{file} is not, or not as a whole, among the tests of this run")
    assert any(known.is_about(f"{file}::{item.name}") for item in tests), f"no test is meant by {known.test}"
