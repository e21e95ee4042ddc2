# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an action, as its module documents them: plugins/modules and plugins/doc_fragments state each once.

An action calls this when Ansible loads it, in the process that forks a worker for every task. So each documentation is
parsed once a play, which takes about 2 ms.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

# What an argument specification says in the same words. Documentation knows no no_log, and an action has no use for it:
# ansible-core masks by it what a module returns.
_SAME = ("type", "elements", "required", "default", "aliases")


def documented_options(
    action: str, unquoted: Iterable[str] = (), rules: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the argument specification that the documentation of an action's module states.

    It has the options of the module and of its doc fragments, which are of the same collection: nothing of another one
    is imported, and Galaxy shows the pages of a collection without those that it depends on.

    :param action: C(__name__) of the action plugin
    :param unquoted: options whose value may be secret and which the action checks itself. Ansible's own message about
        a value of another type would quote it.
    :param rules: by option, which of its suboptions go together, such as mutually_exclusive
    """
    plugins, _kind, module = action.rpartition(".action.")
    documentation = _documentation(f"{plugins}.modules.{module}", "DOCUMENTATION")
    options = documentation["options"]
    for fragment in _own_fragments(plugins, documentation):
        for name, option in fragment["options"].items():
            options[name] = {**option, **options.get(name, {})}
    specification = {name: _specification(option) for name, option in options.items()}
    specification |= {name: _any_type(specification[name]) for name in unquoted}
    specification |= {name: {**specification[name], **rule} for name, rule in (rules or {}).items()}
    return specification


def _own_fragments(plugins: str, documentation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    collection = plugins.removeprefix("ansible_collections.").removesuffix("plugins")
    for fragment in documentation.get("extends_documentation_fragment", ()):
        if fragment.startswith(collection):
            name, _dot, section = fragment.removeprefix(collection).partition(".")
            yield _documentation(f"{plugins}.doc_fragments.{name}", section.upper() or "DOCUMENTATION")


@cache
def _documentation(python_module: str, section: str) -> dict[str, Any]:
    source = import_module(python_module)
    content: dict[str, Any] = yaml_load(getattr(getattr(source, "ModuleDocFragment", source), section))
    return content


def _specification(option: dict[str, Any]) -> dict[str, Any]:
    specification = {key: option[key] for key in _SAME if key in option}
    if "choices" in option:
        # Documented as a list, or as a dictionary that describes each
        specification["choices"] = list(option["choices"])
    if "suboptions" in option:
        specification["options"] = {name: _specification(inner) for name, inner in option["suboptions"].items()}
    return specification


def _any_type(specification: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in specification.items() if key != "elements"}, "type": "raw"}
