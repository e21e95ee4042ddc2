# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of the app is stood in for."""

from __future__ import annotations

import pytest
from stand_in.app_version import DEFAULT, AppVersionError, app_version


@pytest.mark.parametrize(
    ("environment", "name"),
    [({}, "be4bffa1"), ({"STAND_IN_APP": ""}, "be4bffa1"), ({"STAND_IN_APP": "0.9.2"}, "0.9.2")],
)
def test_versions(environment: dict[str, str], name: str) -> None:
    assert app_version(environment).name == name


def test_the_default_is_what_the_images_are_built_from() -> None:
    assert app_version({}) is DEFAULT


@pytest.mark.parametrize("name", ["latest", "0.9", "v0.9.2"])
def test_another_version_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(AppVersionError, match=f"STAND_IN_APP: '{name}' is none of be4bffa1, 0.9.2."):
        app_version({"STAND_IN_APP": name})
