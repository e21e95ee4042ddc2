# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates that are compiled once: those of this collection once for all runs, the others once in a task.

Only texts of this collection are kept in a file. An inventory's may hold a secret, and so may what is made from them.
"""

import marshal
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import Any

import jinja2
from ansible.release import __version__ as ansible_version
from ansible.template import Templar

from ..cache.private_files import PrivateFiles

try:
    # Internal to ansible-core, so everything works without it.
    from ansible._internal._templating._jinja_bits import (
        _TEMPLATE_OVERRIDE_FIELD_NAMES,
        AnsibleEnvironment,
        _TemplateCompileContext,
        _TemplateConfig,
    )
except ImportError:  # pragma: no cover
    AnsibleEnvironment = None

Key = tuple[Any, ...]

# Far more than this collection has, with which a file of old ones begins anew
MOST_KEPT = 2000


class CompiledTemplates:
    """What was compiled, by its text and by what else its code depends on.

    ``compiled`` counts what was not found here, of the texts of this collection.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self._published: set[str] = set()
        self._files = PrivateFiles("templates")
        self._kept: dict[Key, CodeType] | None = None
        self._of_task: dict[Key, CodeType] = {}

    def publish(self, text: str) -> None:
        """Say that a text is one of this collection."""
        self._published.add(text)

    def is_published(self, text: str) -> bool:
        """Tell whether a text is one of this collection, word for word."""
        return text in self._published

    def code(self, key: Key, text: str, compile_text: Callable[[], CodeType]) -> CodeType:
        """Return the code of a text, compiled if it is not found.

        :param key: the text, and all else that its code depends on.
        """
        known = self._kept_ones() if text in self._published else self._of_task
        code = known.get(key)
        if code is None:
            code = known[key] = compile_text()
            self.compiled += known is self._kept
        return code

    def keep(self) -> None:
        """Keep what was compiled for the next run."""
        if self.compiled and self._kept is not None:
            # Another run may have kept others meanwhile
            both = {**self._read(), **self._kept}
            self._files.write("all", _made_from(), marshal.dumps(both if len(both) <= MOST_KEPT else self._kept))

    def _kept_ones(self) -> dict[Key, CodeType]:
        if self._kept is None:
            self._kept = self._read()
        return self._kept

    def _read(self) -> dict[Key, CodeType]:
        content = self._files.read("all", _made_from())
        kept: dict[Key, CodeType] = marshal.loads(content) if content else {}  # noqa: S302 - of this user, and whole
        return kept if len(kept) <= MOST_KEPT else {}


def compile_once(templar: Templar, compiled: CompiledTemplates) -> None:
    """Have a templar take its code from what was compiled. No other templar is touched."""
    if AnsibleEnvironment is None or AnsibleEnvironment._debuggable_template_source:
        return
    engine = templar._engine
    engine._environment = _CompilingOnce(compiled, ansible_basedir=engine.basedir)


def _made_from() -> bytes:
    """What all code depends on, whatever its text."""
    return repr((MAGIC_NUMBER, jinja2.__version__, ansible_version)).encode()


if AnsibleEnvironment is not None:

    class _CompilingOnce(AnsibleEnvironment):
        """Ansible's environment of Jinja. As there, an overlay has the same attributes with other settings."""

        def __init__(self, compiled: CompiledTemplates, **settings: Any) -> None:
            super().__init__(**settings)
            self._compiled = compiled

        def compile(self, source: Any, *arguments: Any, **options: Any) -> Any:
            """Compile a template, or the tree of an expression."""
            if not isinstance(source, str) or arguments or options:
                self._compiled_tree = super().compile(source, *arguments, **options)
                return self._compiled_tree
            text = str.__str__(source)
            compile_text = super().compile
            return self._compiled.code(self._key("template", text), text, lambda: compile_text(source))

        def compile_expression(self, source: str, undefined_to_none: bool = True) -> Any:
            """Compile an expression, which Jinja makes a template of."""
            text = str.__str__(source)
            code = self._compiled.code(self._key("expression", text), text, lambda: self._expression(source))
            template = self.template_class.from_code(self, code, self.make_globals(None))
            return jinja2.environment.TemplateExpression(template, undefined_to_none)

        def _expression(self, source: str) -> CodeType:
            super().compile_expression(source)
            code: CodeType = self._compiled_tree
            return code

        def _key(self, kind: str, text: str) -> Key:
            context = _TemplateCompileContext.current(optional=True)
            return (
                kind,
                text,
                bool(context and context.escape_backslashes),
                bool(_TemplateConfig.allow_embedded_templates),
                *_TemplateConfig.jinja_extensions,
                *(getattr(self, name) for name in _TEMPLATE_OVERRIDE_FIELD_NAMES),
            )
