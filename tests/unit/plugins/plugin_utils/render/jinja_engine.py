# SPDX-License-Identifier: GPL-3.0-or-later
"""Jinja as a part is rendered with it, without Ansible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2


class Locked:
    """An encrypted value that no password opens."""

    def __init__(self, vault_id: str) -> None:
        self.vault_id = vault_id

    def __str__(self) -> str:
        raise jinja2.TemplateError("undecryptable")


class JinjaEngine:
    """Every text with {{ is a template, unless it is `unsafe`."""

    Fault = jinja2.TemplateError
    Undefined = jinja2.UndefinedError

    def __init__(self, directory: Path, variables: dict[str, Any], unsafe: tuple[str, ...] = ()) -> None:
        self.variables = variables
        self._directory = directory
        self._unsafe = unsafe
        options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._environment = jinja2.Environment(**options, autoescape=False)  # noqa: S701 - YAML, not HTML
        self._environment.filters |= {"to_json": json.dumps, "bool": bool}

    def value(self, source: Any) -> Any:
        if isinstance(source, dict):
            return {key: self.value(item) for key, item in source.items()}
        if isinstance(source, list | tuple):
            return [self.value(item) for item in source]
        if isinstance(source, Locked):
            str(source)
        if not self.is_template(source):
            return source
        if source.startswith("{{") and source.endswith("}}") and source.count("{{") == 1:
            return self._evaluate(source[2:-2])
        return self._environment.from_string(source).render(self._known())

    def of_collection(self, text: str) -> str:
        return text

    def holds(self, *conditions: str) -> bool:
        return all(map(self._evaluate, conditions))

    def document(self, source: str) -> Any:
        return self._environment.from_string(source).render(self._known())

    def is_template(self, source: Any) -> bool:
        return isinstance(source, str) and "{{" in source and source not in self._unsafe

    def locked_by(self, source: Any) -> str | None:
        """A stand-in for Ansible Vault: a Locked value says its vault id, and no template can use it."""
        return source.vault_id if isinstance(source, Locked) else None

    def find(self, directory: str, name: str) -> Path:
        path = self._directory / directory / name
        if not path.is_file():
            raise FileNotFoundError(f"no {directory}/{name}")
        return path

    def origin_of(self, value: object) -> None:
        """Nobody knows."""

    def _evaluate(self, expression: str) -> Any:
        value = self._environment.compile_expression(expression, undefined_to_none=False)(**self._known())
        if isinstance(value, jinja2.Undefined):
            raise jinja2.UndefinedError(f"{value._undefined_name!r} is undefined")
        return value

    def _known(self) -> dict[str, Any]:
        """The variables, each template among them rendered if it can be."""
        known = {}
        for name, value in self.variables.items():
            try:
                known[name] = self._environment.from_string(value).render() if self.is_template(value) else value
            except jinja2.TemplateError:
                known[name] = jinja2.StrictUndefined(name=name)
        return known
