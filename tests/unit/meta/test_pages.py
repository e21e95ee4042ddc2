# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the documentation of a plugin reaches the page: YAML takes ` #54` for a comment and drops the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
PLUGINS = sorted(
    file
    for kind in ("callback", "doc_fragments", "filter", "inventory", "lookup", "modules")
    for plugins in ("plugins", "dev/plugins")
    for file in (CHECKOUT / plugins / kind).glob("*.py")
)


def cut_off(source: str) -> Iterator[str]:
    """Yield the lines of a plugin's documentation of which YAML reads a part only."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)):
            continue
        name, text = ast.unparse(node.targets[0]), node.value.value
        # A section of a doc fragment has a name of its own, and examples may have comments
        if name.isupper() and isinstance(text, str) and "description:" in text:
            for line in text.splitlines():
                if " #" in line and f"{yaml.safe_load(text)}".count("#") != text.count("#"):
                    yield line.strip()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_no_line_is_cut_off(plugin: Path) -> None:
    assert not list(cut_off(plugin.read_text()))


@pytest.mark.parametrize(
    ("description", "found"),
    [
        ("For example V(fix #54).", True),
        ("In C(#agents), an answer to #54 and others.", True),
        ('"For example V(fix #54)."', False),
        ("A channel, such as C(#agents).", False),
    ],
)
def test_what_yaml_cuts_off_is_found(description: str, found: bool) -> None:
    source = f"DOCUMENTATION = r'''\nmodule: x\noptions:\n  text:\n    description: {description}\n'''\n"
    assert bool(list(cut_off(source))) is found


PUBLISHED = [file for file in PLUGINS if file.parent.name in ("callback", "filter", "lookup", "modules")]


@pytest.mark.parametrize("plugin", PUBLISHED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_licence_is_named_as_ansible_test_reads_it(plugin: Path) -> None:
    """It knows no SPDX. `make gates` finds it too, which takes longer."""
    assert "# GNU General Public License v3.0+" in plugin.read_text()[:400]
