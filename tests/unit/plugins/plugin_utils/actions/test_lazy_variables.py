# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable is rendered once, until the variables change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.lazy_variables import Variables

DRAWN = "{{ range(10 ** 12) | random }}"


class Engine:
    """A templar with variables, of which all texts are templates."""

    def __init__(self, **variables: Any) -> None:
        self._templar = Templar(DataLoader())
        self.given = {name: _trusted(value) for name, value in variables.items()}
        self.variables = Variables(self._templar, self.given)

    def render(self, text: str) -> Any:
        return self._templar.template(trust_as_template(text))

    def holds(self, condition: str) -> bool:
        return self._templar.evaluate_conditional(trust_as_template(condition))


def _trusted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trusted(entry) for name, entry in value.items()}
    return trust_as_template(value) if isinstance(value, str) else value


def test_a_variable_is_rendered_once_however_it_is_mentioned() -> None:
    templates = Engine(drawn=DRAWN, mentions="{{ drawn }}", holder={"inner": "{{ drawn }}"})
    drawn = templates.render("{{ drawn }}")
    assert templates.render("{{ mentions }}") == templates.render("{{ holder.inner }}") == drawn
    assert templates.holds(f"drawn == {drawn}")


def test_a_change_renders_all_anew() -> None:
    templates = Engine(base="one", mentions="{{ base }}-{{ other | default('none') }}", drawn=DRAWN)
    assert templates.render("{{ mentions }}") == "one-none"
    drawn = templates.render("{{ drawn }}")
    templates.variables["other"] = "set"
    assert templates.render("{{ mentions }}") == "one-set"
    templates.variables.update(base="two", other="updated")
    assert templates.render("{{ mentions }}") == "two-updated"
    assert templates.render("{{ drawn }}") != drawn


def test_a_variable_that_cannot_be_rendered_fails_at_each_mention() -> None:
    templates = Engine(broken="{{ absent.attribute }}", sound="{{ broken | default('fallback') }}")
    for _ in range(2):
        with pytest.raises(AnsibleError, match="absent"):
            templates.render("{{ broken }}")
        assert templates.render("{{ sound }}") == "fallback"


def test_the_given_variables_stay_as_they_are() -> None:
    templates = Engine(base="one", mentions="{{ base }}")
    assert templates.render("{{ mentions }}") == "one"
    templates.variables["base"] = "two"
    assert templates.given == {"base": "one", "mentions": "{{ base }}"}
    assert templates.variables == {"base": "two", "mentions": "{{ base }}"}
