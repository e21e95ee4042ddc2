# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of an execution environment that the README shows to users of ansible-builder."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

README = Path(__file__).parents[1] / "README.md"


def shown_definition() -> dict[str, Any]:
    """Return the first block that is shown after the first word on ansible-builder."""
    section = README.read_text(encoding="utf-8").partition("ansible-builder")[2]
    block = re.search(r"(?:^ {4}.*\n)+", section, re.MULTILINE)
    assert block, "README.md shows no definition"
    return yaml.safe_load(textwrap.dedent(block[0]))
