# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of this collection are compiled once for all runs. No other text comes into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions import compiled_templates
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.compiled_templates import (
    CompiledTemplates,
    compile_once,
)

VARIABLES = {"name": "redis", "list": [1, 2], "path": r"a\b"}
TEMPLATES = {
    "{{ name }}": "redis",
    "a {{ name | upper }}\n": "a REDIS\n",
    "{% for item in list %}\n  {{ item }}\n{% endfor %}\n": "  1\n  2\n",
    "{{ list }}": [1, 2],
    r"{{ 'a\n' ~ path }}": r"a\na\b",
    "{{ missing | default('none') }}": "none",
}
CONDITIONS = {"name == 'redis'": True, "list | length > 2": False, r"path == 'a\\b'": True}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the compiled templates are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "agentsmith.platform/templates/all"


class Run:
    """One run: a templar with what earlier runs have kept."""

    def __init__(self, *published: str) -> None:
        self.compiled = CompiledTemplates()
        self.templar = Templar(DataLoader(), variables=dict(VARIABLES))
        compile_once(self.templar, self.compiled)
        for text in published:
            self.compiled.publish(text)

    def value(self, text: str, **options: Any) -> Any:
        return self.templar.template(trust_as_template(text), **options)

    def holds(self, text: str) -> bool:
        return self.templar.evaluate_conditional(trust_as_template(text))

    def all(self) -> tuple[dict[str, Any], dict[str, bool]]:
        values = {text: self.value(text) for text in TEMPLATES}
        return values, {text: self.holds(text) for text in CONDITIONS}


def test_the_second_run_compiles_nothing_and_renders_the_same() -> None:
    first = Run(*TEMPLATES, *CONDITIONS)
    assert first.all() == (TEMPLATES, CONDITIONS)
    assert first.compiled.compiled == len(TEMPLATES) + len(CONDITIONS)
    first.compiled.keep()
    second = Run(*TEMPLATES, *CONDITIONS)
    assert second.all() == (TEMPLATES, CONDITIONS)
    assert second.compiled.compiled == 0


def test_a_run_that_compiles_nothing_writes_nothing(cache: Path) -> None:
    first = Run("{{ name }}")
    first.value("{{ name }}")
    first.compiled.keep()
    before = cache.stat()
    second = Run("{{ name }}")
    second.value("{{ name }}")
    second.compiled.keep()
    assert cache.stat() == before


def test_a_text_of_others_is_compiled_once_in_a_run_and_kept_nowhere(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = []
    compiled = jinja2.Environment.compile
    monkeypatch.setattr(jinja2.Environment, "compile", lambda *given: count.append(1) or compiled(*given))
    run = Run("{{ name }}")
    secret = "{{ 'canary4711' ~ name }}"
    assert [run.value(secret), run.value(secret), run.value("{{ name }}")] == ["canary4711redis"] * 2 + ["redis"]
    assert run.holds("name != 'canary4712'") and run.holds("name != 'canary4712'")
    assert len(count) == 3
    run.compiled.keep()
    assert b"canary" not in cache.read_bytes()
    assert b"name" in cache.read_bytes()


def test_a_changed_text_is_compiled() -> None:
    first = Run("{{ name }}")
    first.value("{{ name }}")
    first.compiled.keep()
    second = Run("{{ name | upper }}")
    assert second.value("{{ name | upper }}") == "REDIS"
    assert second.compiled.compiled == 1


@pytest.mark.parametrize(
    ("module", "name"),
    [(jinja2, "__version__"), (compiled_templates, "ansible_version")],
    ids=["Jinja", "ansible-core"],
)
def test_code_of_another_version_is_made_anew(module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> int:
        run = Run("{{ name }}")
        assert run.value("{{ name }}") == "redis"
        run.compiled.keep()
        return run.compiled.compiled

    assert [run(), run()] == [1, 0]
    monkeypatch.setattr(module, name, "3.2.0")
    assert [run(), run()] == [1, 0]


def test_the_same_text_with_other_settings_is_other_code() -> None:
    text = "{% if name %}\n  {{ '\\n' }}\n{% endif %}\n"
    given = [{}, {"escape_backslashes": False}, {"overrides": {"lstrip_blocks": True, "trim_blocks": False}}]
    without = Templar(DataLoader(), variables=dict(VARIABLES))
    wanted = [without.template(trust_as_template(text), **options) for options in given]
    assert len(set(wanted)) == 3
    for compiled in (3, 0):
        run = Run(text)
        assert [run.value(text, **options) for options in given] == wanted
        assert run.compiled.compiled == compiled
        run.compiled.keep()


def test_runs_that_end_at_the_same_time_keep_what_both_compiled() -> None:
    one, other = Run("{{ name }}"), Run("{{ list }}")
    one.value("{{ name }}")
    other.value("{{ list }}")
    one.compiled.keep()
    other.compiled.keep()
    third = Run("{{ name }}", "{{ list }}")
    assert [third.value("{{ name }}"), third.value("{{ list }}")] == ["redis", [1, 2]]
    assert third.compiled.compiled == 0


def test_old_texts_do_not_pile_up(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(compiled_templates, "MOST_KEPT", 3)
    sizes = []
    for number in range(8):
        run = Run(text := f"{{{{ name }}}}{number}")
        run.value(text)
        run.compiled.keep()
        sizes.append(cache.stat().st_size)
    assert max(sizes[3:]) <= sizes[2] * 1.5


@pytest.mark.parametrize(
    ("text", "evaluate"), [("{{ name", Run.value), ("name ==", Run.holds)], ids=["template", "condition"]
)
def test_a_syntax_error_is_the_same_each_time(text: str, evaluate: Any) -> None:
    said = []
    for run in (Run(), Run(text), Run(text)):
        with pytest.raises(Exception, match="Syntax error") as caught:
            evaluate(run, text)
        said.append(str(caught.value))
        run.compiled.keep()
    assert len(set(said)) == 1


def test_an_undefined_variable_is_named_as_before() -> None:
    said = []
    for run in (Run("{{ missing }}"), Run("{{ missing }}")):
        with pytest.raises(Exception, match="'missing' is undefined") as caught:
            run.value("{{ missing }}")
        said.append(str(caught.value))
        run.compiled.keep()
    assert said[0] == said[1]


def test_the_templars_of_others_are_as_before() -> None:
    run = Run("{{ name }}")
    other = Templar(DataLoader(), variables=dict(VARIABLES))
    assert type(other._engine.environment).__module__.startswith("ansible.")
    assert type(run.templar._engine.environment).__module__.startswith("ansible_collections.agentsmith.")


def test_without_the_internals_of_ansible_everything_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_templates, "AnsibleEnvironment", None)
    run = Run(*TEMPLATES, *CONDITIONS)
    assert json.dumps(run.all()) == json.dumps((TEMPLATES, CONDITIONS))
    assert run.compiled.compiled == 0
    run.compiled.keep()
