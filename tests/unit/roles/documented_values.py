# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that docs/how-to/production.md shows, to render them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[3] / "docs/how-to/production.md"


def documented_values(heading: str) -> dict[str, dict[str, Any]]:
    """Return the blocks of variables below a heading, by the first word of the paragraph before them."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^([A-Z]\S+)[^\n|]*:\n\n((?:    [^\n]*\n)+)", section, re.MULTILINE)
    return {name: yaml.safe_load(block) for name, block in found}
