# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a task, of which each is rendered once, however many templates mention it.

Ansible prepares all variables of a host anew for each template, and renders a variable at each mention.
"""

from typing import Any

from ansible.template import Templar

try:
    # Internal to ansible-core, so everything works without it.
    from ansible._internal._templating._engine import TemplateOptions
    from ansible._internal._templating._lazy_containers import _AnsibleLazyTemplateMixin
    from ansible._internal._templating._utils import TemplateContext
except ImportError:  # pragma: no cover
    TemplateContext = None


class Variables(dict[str, Any]):
    """The variables of a templar, as they were given. It renders each of them when it is first mentioned.

    A change lets it forget what it has rendered: other variables may mention what has changed.
    """

    def __init__(self, templar: Templar, given: dict[str, Any]) -> None:
        super().__init__(given)
        self._templar = templar
        self._hand_over()

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._hand_over()

    def update(self, *others: Any, **values: Any) -> None:
        """As that of a dict."""
        super().update(*others, **values)
        self._hand_over()

    def _hand_over(self) -> None:
        variables: Any = dict(self)
        if TemplateContext is not None:
            with TemplateContext(template_value="", templar=self._templar._engine, options=TemplateOptions.DEFAULT):
                variables = _AnsibleLazyTemplateMixin._try_create(variables)
        self._templar.available_variables = variables
