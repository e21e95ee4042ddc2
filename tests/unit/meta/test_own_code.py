# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugins use no code and no documentation of other collections, and need nothing that others call private."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_pages import documentation

CHECKOUT = Path(__file__).resolve().parents[3]
OWN = ("ansible_collections.agentsmith.platform.", "ansible_collections.agentsmith.dev.")
SOURCES = sorted(file for plugins in ("plugins", "dev/plugins") for file in (CHECKOUT / plugins).rglob("*.py"))
MODULES = [file for file in SOURCES if file.parent.name == "modules"]


def imported(source: str) -> Iterator[tuple[str, bool]]:
    """Name whatever is imported from elsewhere (`ansible.errors.AnsibleError`), and whether it works without."""
    tree = ast.parse(source)
    guarded = {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try)
        and any(ast.unparse(handler.type or attempt) == "ImportError" for handler in attempt.handlers)
        for statement in attempt.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node in guarded) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((f"{node.module}.{name.name}", node in guarded) for name in node.names)


def of_others(source: str) -> list[str]:
    """Name what belongs to another collection, and what is private to its owner and needed."""
    return [
        name
        for name, guarded in imported(source)
        if (name.startswith("ansible_collections.") and not name.startswith(OWN))
        or (not guarded and any(part.startswith("_") and not part.endswith("__") for part in name.split(".")))
    ]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(CHECKOUT)))
def test_nothing_of_others_is_imported(file: Path) -> None:
    assert not of_others(file.read_text())


def test_what_is_private_or_of_another_collection_is_found() -> None:
    source = """
from __future__ import annotations
from ansible.errors import AnsibleError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects import errors
from .._own import _name
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import _create_configuration
from kubernetes.config import kube_config as config, _private
import ansible._internal
try:
    from ansible._internal import optional
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:
    pass
try:
    from ansible._internal import needed
finally:
    pass
"""
    found = ["_create_configuration", "_private", "_internal", "AUTH_ARG_SPEC", "needed"]
    assert sorted(name.rpartition(".")[2] for name in of_others(source)) == sorted(found)


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.stem)
def test_a_page_is_whole_without_other_collections(module: Path) -> None:
    """Galaxy shows a collection's pages without those that it depends on."""
    fragments = documentation(module).get("extends_documentation_fragment", [])
    assert not [name for name in fragments if not f"ansible_collections.{name}".startswith(OWN)]
