# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's template engine as the rendering asks for it: plugin_utils/render/template_engine.py."""

import gc
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleTemplateError, AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import filter_loader, test_loader
from ansible.template import is_trusted_as_template, trust_as_template

from ..agentsmith_config.document import Origin
from .compiled_templates import CompiledTemplates, compile_once
from .lazy_variables import Variables
from .value_origin import origin_of, shown
from .vault_values import locked_by

# This file is imported once, by the process that forks a worker for every task. Ansible loads its filters and tests
# when the first is used: loaded here they are there in all workers, instead of 10 ms of every one of them.
filter_loader.get("ansible.builtin.to_json")
filter_loader.get("agentsmith.platform.resource_quota")
test_loader.get("ansible.builtin.defined")
# What Ansible has loaded by now stays to the end. The garbage collector would walk over it again and again, and by that
# copy its memory into every worker (Python: gc.freeze, on fork without exec): a tenth of a deploy that changes nothing.
gc.freeze()


class AnsibleTemplates:
    """Renders with the variables of a task, and finds files as the task does."""

    Fault = AnsibleTemplateError
    Undefined = AnsibleUndefinedVariable

    def __init__(self, action: ActionBase, variables: dict[str, Any] | None) -> None:
        self.compiled = CompiledTemplates()
        self._templar = action._templar.copy_with_new_env(available_variables={})
        compile_once(self._templar, self.compiled)
        self.variables: dict[str, Any] = Variables(self._templar, variables or {})
        self._find_needle = action._find_needle

    def value(self, source: Any) -> Any:
        """Return `source` with all templates in it rendered."""
        return self._templar.template(source)

    def of_collection(self, text: str) -> str:
        """Return a text of this collection as a template, whose compiled form may be kept."""
        self.compiled.publish(text)
        trusted: str = trust_as_template(text)
        return trusted

    def holds(self, *conditions: str) -> bool:
        """Whether conditions hold."""
        joined = conditions[0] if len(conditions) == 1 else " and ".join(f"({condition})" for condition in conditions)
        if all(map(self.compiled.is_published, conditions)):
            self.compiled.publish(joined)
        return bool(self._templar.evaluate_conditional(trust_as_template(joined)))

    def document(self, source: str) -> Any:
        """Render the text of a template file."""
        overrides = {"trim_blocks": True, "lstrip_blocks": True}
        return self._templar.template(trust_as_template(source), escape_backslashes=False, overrides=overrides)

    def is_template(self, source: Any) -> bool:
        """Whether `value` would look for template syntax in `source`."""
        return isinstance(source, str) and is_trusted_as_template(source)

    def find(self, directory: str, name: str) -> Path:
        """Return where Ansible finds a file that the task names."""
        try:
            return Path(self._find_needle(directory, name))
        except AnsibleError as error:
            raise FileNotFoundError(str(error)) from None

    def locked_by(self, source: Any) -> str | None:
        """Return the vault id of a value that is encrypted and that no given password opens."""
        return locked_by(source)

    def origin_of(self, value: object) -> Origin | None:
        """Return the file and line in which a value was written, if Ansible knows them."""
        origin = origin_of(value)
        return shown(origin) if origin else None
