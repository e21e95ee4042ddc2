# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures in docs/images are those that `make pictures` draws from their texts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import architecture_picture
import pytest
import terminal_pictures
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


@pytest.mark.parametrize("recording", terminal_pictures.recordings(), ids=lambda recording: recording["name"])
def test_a_terminal_is_drawn_from_its_recording(recording: dict[str, object]) -> None:
    drawn = terminal_pictures.draw(recording)
    assert (IMAGES / f"terminal-{recording['name']}.svg").read_text(encoding="utf-8") == drawn, "make pictures"
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", ""), "a picture loads nothing from elsewhere"


def test_of_what_was_said_a_part_is_kept_with_its_colours() -> None:
    said = "PLAY [x] ***\n\n\x1b[0;32mok: [dev]\x1b[0m\n    one\n\x1b[0;31m    two\x1b[0m\n\nPLAY RECAP\n"
    assert terminal_pictures.excerpt(said, {"from": "^ +one", "to": "^$"}) == "    one\n\x1b[0;31m    two\x1b[0m\n"
    assert terminal_pictures.excerpt(said, {"from": "^ok"}).endswith("PLAY RECAP\n")
