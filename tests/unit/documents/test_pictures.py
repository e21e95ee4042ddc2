# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures in docs/images are those that `make pictures` draws from their texts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import architecture_picture
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
IMAGES = CHECKOUT / "docs/images"
NOT_DRAWN = {"extra", "monitoring", "new_environment", "preflight", "verify"}
"""Roles that render no part of every release."""


def test_the_architecture_is_drawn_from_its_text() -> None:
    description = yaml.safe_load((IMAGES / "architecture.yml").read_text(encoding="utf-8"))
    drawn = architecture_picture.draw(description)
    assert (IMAGES / "architecture.svg").read_text(encoding="utf-8") == drawn, "make pictures"


def test_the_architecture_shows_every_part() -> None:
    texts = {
        text.text for text in ElementTree.parse(IMAGES / "architecture.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    parts = {role.name for role in (CHECKOUT / "roles").iterdir()} - NOT_DRAWN
    assert len(parts) > 6
    assert parts <= texts
