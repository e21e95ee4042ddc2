# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plugin documents about itself, read without importing it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml


def documentation(plugin: Path) -> dict[str, Any]:
    for node in ast.parse(plugin.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return yaml.safe_load(node.value.value)
    raise AssertionError(f"{plugin.name} has no DOCUMENTATION")
