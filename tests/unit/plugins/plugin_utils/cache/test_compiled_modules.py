# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of this collection is compiled once, and again if its file is another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.cache import compiled_modules
from ansible_collections.agentsmith.platform.plugins.plugin_utils.cache.compiled_modules import compile_once

PACKAGE = "compiled_package"


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a module that is imported from compiled ones; no bytecode lies beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(tmp_path)
    directory = tmp_path / PACKAGE
    (directory / "inner").mkdir(parents=True)
    (directory / "__init__.py").touch()
    (directory / "inner/__init__.py").write_text("WHERE = 'inner'\n")
    (directory / "module.py").write_text("VALUE = 1\n")
    yield directory
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


class Run:
    """One run: it imports, and counts what it compiles."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forget()
        sys.meta_path[:] = [finder for finder in sys.meta_path if "compiled_modules" not in type(finder).__module__]
        compile_once([PACKAGE])
        self.compiled = 0
        compiled = compiled_modules.SourceFileLoader.source_to_code

        def count(*given: Any) -> Any:
            self.compiled += 1
            return compiled(*given)

        monkeypatch.setattr(compiled_modules._Loader, "source_to_code", count)

    def module(self, name: str = "module") -> ModuleType:
        return import_module(f"{PACKAGE}.{name}")


def test_the_second_run_compiles_nothing(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    for compiled in (2, 0):
        run = Run(monkeypatch)
        assert run.module().VALUE == 1
        assert run.module("inner").WHERE == "inner"
        assert run.compiled == compiled
    assert run.module().__file__ == str(package / "module.py")
    assert run.module("inner").__path__ == [str(package / "inner")]


@pytest.mark.parametrize("source", ["VALUE = 2\n", "VALUE = 1 + 1\n"], ids=["as long", "longer"])
def test_a_changed_file_is_compiled(source: str, monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    Run(monkeypatch).module()
    (package / "module.py").write_text(source)
    run = Run(monkeypatch)
    assert run.module().VALUE == 2
    assert run.compiled == 1


def test_a_spoilt_file_is_not_executed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Run(monkeypatch).module()
    (kept,) = (tmp_path / "cache/agentsmith.platform/modules").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    for compiled in (1, 0):
        run = Run(monkeypatch)
        assert run.module().VALUE == 1
        assert run.compiled == compiled


def test_a_python_of_another_version_compiles_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    Run(monkeypatch).module()
    monkeypatch.setattr(compiled_modules, "MAGIC_NUMBER", b"other")
    run = Run(monkeypatch)
    assert run.module().VALUE == 1
    assert run.compiled == 1


def test_whoever_stands_before_ansibles_finder_goes_on_seeing_all_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    first, ansibles, last = (type("Finder", (), {"__module__": name})() for name in ("tracer", "ansible.loader", "x"))
    monkeypatch.setattr(sys, "meta_path", [first, ansibles, last])
    compile_once([PACKAGE])
    assert [sys.meta_path[place] for place in (0, 2, 3)] == [first, ansibles, last]
    assert type(sys.meta_path[1]).__module__ == compiled_modules.__name__


def test_modules_of_others_are_left_to_their_finders(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch)
    finder = sys.meta_path[0]
    assert type(finder).__module__ == compiled_modules.__name__
    for name in (
        "json",
        "ansible_collections.kubernetes.core.plugins.module_utils.args_common",
        f"{PACKAGE}_of_others.x",
    ):
        assert finder.find_spec(name, ["/nowhere"]) is None
    with pytest.raises(ModuleNotFoundError):
        run.module("missing")


def test_a_fault_in_a_module_names_its_line(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    (package / "module.py").write_text("\n1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            Run(monkeypatch).module()
        assert str(caught.traceback[-1].path) == str(package / "module.py")
        assert caught.traceback[-1].lineno == 1
