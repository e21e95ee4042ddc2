# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rendering of a part asks of the engine that fills templates in, and the error that it ends with.

In a play it is Ansible's, by plugin_utils/actions/ansible_templates.py.
"""

from pathlib import Path
from typing import Any, Protocol

from ..agentsmith_config.document import Origin


class RenderError(Exception):
    """A fault with a message for the user, which quotes no value that may be secret."""


class TemplateEngine(Protocol):
    """Fills templates in with the variables of one target."""

    Fault: type[Exception]
    """Raised for a template that cannot be rendered."""

    Undefined: Any
    """The Fault that a variable is not defined, an exception with a `message`."""

    variables: dict[str, Any]
    """The values, and the templates that they are made from."""

    def value(self, source: Any) -> Any:
        """Return `source` with all templates in it rendered."""

    def of_collection(self, text: str) -> str:
        """Return a text that is part of this collection as a template. Every other text may hold a secret."""

    def holds(self, *conditions: str) -> bool:
        """Whether conditions hold, all of them."""

    def document(self, source: str) -> Any:
        """Render the text of a template file."""

    def is_template(self, source: Any) -> bool:
        """Whether `value` would look for template syntax in `source`."""

    def locked_by(self, source: Any) -> str | None:
        """Return the vault id of a value that is encrypted and that no given password opens."""

    def find(self, directory: str, name: str) -> Path:
        """Return where a file lies that a play names, such as one of its `templates`.

        :raises FileNotFoundError: nowhere
        """

    def origin_of(self, value: object) -> Origin | None:
        """Return the file and line in which a value was written, if they are known."""


def target_of(engine: TemplateEngine) -> str:
    """Return the name of the target whose variables an engine has."""
    return str(engine.variables.get("inventory_hostname", "localhost"))
