# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the options in meta/argument_specs.yml of each role from its defaults/main.yml: `make argument-specs`.

A variable is stated once, in the defaults of its role: a comment, then the variable.

    # What it means. Allowed: a DNS name, or an empty text. Example: business-critical
    redis_priority_class_name: ""

The description is the text of the comment up to `Example:`. Type and default are those of the value; a value with a
template is a text. What a value cannot say stands in the last lines of the comment, in the words of an argument spec:
type, elements, choices, required, no_log, options. `options` may name another variable of the role that has the same.

    # Names of the Secrets with which the nodes pull the image.
    # elements: str
    redis_image_pull_secrets: []

A required variable has no default. It stands there as a comment:

    # Namespace of the release.
    # required: true
    # agentsmith_namespace:

The entries and their texts stand in argument_specs.yml and stay as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[1]
DEFAULTS = "defaults/main.yml"
SPECS = "meta/argument_specs.yml"
WORDS = ("type", "elements", "required", "choices", "no_log", "options")
ORDER = ("type", "elements", "required", "choices", "default", "no_log", "description", "options")
HEADER = f"""# SPDX-License-Identifier: GPL-3.0-or-later
---
# The options are written from {DEFAULTS}. After a change there, in the repository: make argument-specs
# yamllint disable rule:indentation rule:line-length
"""
TYPES = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}
NO_DEFAULT = object()
WIDTH = 140  # characters after which PyYAML goes on in the next line

_VARIABLE = re.compile(r"(\w+):(?: |$)")
_COMMENTED_VARIABLE = re.compile(r"# (\w+):$")
_WORD = re.compile(rf"({'|'.join(WORDS)}):(?: |$)")
_FACT = re.compile(r"\{\{ (\w+) \| default\('([^']*)'\) \}\}")


class CommentError(Exception):
    """A comment in the defaults that no option can be made of."""


class _Line(dict[str, Any]):
    """An option, written in as few lines as its description needs: nobody edits it there."""


class _Dumper(yaml.SafeDumper):
    def represent_line(self, option: _Line) -> yaml.Node:
        return self.represent_mapping("tag:yaml.org,2002:map", option, flow_style=True)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


_Dumper.add_representer(_Line, _Dumper.represent_line)


def roles() -> list[Path]:
    """Return the directories of all roles, those of the development machine too."""
    return sorted(path.parents[1] for folder in (".", "dev") for path in CHECKOUT.glob(f"{folder}/roles/*/{DEFAULTS}"))


def written(role: Path) -> str:
    """Return what argument_specs.yml of *role* has to be.

    :raises CommentError: a comment does not say what an option needs
    """
    options = options_of((role / DEFAULTS).read_text())
    entries = yaml.safe_load((role / SPECS).read_text())["argument_specs"]
    lines = [HEADER, "argument_specs:\n"]
    for number, (name, entry) in enumerate(entries.items()):
        texts = {key: value for key, value in entry.items() if key != "options"}
        lines += [f"  {name}:\n", _block(texts, 4)]
        # The same options for each entry of the role
        anchor = "" if len(entries) == 1 else " &options"
        lines += (
            [f"    options:{anchor}\n", _block({name: _Line(option) for name, option in options.items()}, 6)]
            if number == 0
            else ["    options: *options\n"]
        )
    return "".join(lines)


def options_of(defaults: str) -> dict[str, dict[str, Any]]:
    """Return the options that *defaults*, the text of a defaults/main.yml, describes.

    :raises CommentError: a comment does not say what an option needs
    """
    values = yaml.safe_load(defaults) or {}
    options = {
        name: _option(name, comment, values.get(name, NO_DEFAULT)) for name, comment in _commented_variables(defaults)
    }
    for name, option in options.items():
        if isinstance(option.get("options"), str):
            other = options.get(option["options"], {})
            if not isinstance(other.get("options"), dict):
                raise CommentError(f"{name}: options names {option['options']}, which is no variable with options.")
            option["options"] = other["options"]
    return options


def _commented_variables(defaults: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each variable with the lines of the comment directly above it, without their `# `."""
    comment: list[str] = []
    for line in [*defaults.splitlines(), ""]:
        if line.startswith("#"):
            comment.append(line)
            continue
        if variable := _VARIABLE.match(line):
            yield variable[1], [line[2:] for line in comment]
        elif comment and (variable := _COMMENTED_VARIABLE.match(comment[-1])):
            yield variable[1], [line[2:] for line in comment[:-1]]
        comment = []


def _option(name: str, comment: list[str], value: Any) -> dict[str, Any]:
    first = next((number for number, line in enumerate(comment) if _WORD.match(line)), len(comment))
    stated = yaml.safe_load("\n".join(comment[first:])) or {}
    _check_words(name, stated, WORDS)
    if (value is NO_DEFAULT) != bool(stated.get("required")):
        raise CommentError(f"{name}: what is required has no value, and what has no value is required.")
    description = _description(name, comment[:first])
    option: dict[str, Any] = {"description": description}
    if value is NO_DEFAULT:
        option["type"] = "str"
    elif isinstance(value, str) and "{{" in value:
        option["type"] = "str"
        if fact := _FACT.fullmatch(value):
            otherwise = f"V({fact[2]})" if fact[2] else "empty"
            option["description"] += f" Taken from C({fact[1]}), {otherwise} if that is not set."
    elif type(value) not in TYPES:
        raise CommentError(f"{name}: its value has none of the types {', '.join(TYPES.values())}.")
    else:
        option |= {"type": TYPES[type(value)], "default": value}
        elements = {TYPES[type(element)] for element in value} if isinstance(value, list) else set()
        if len(elements) == 1:
            option["elements"] = elements.pop()
    option |= stated
    if option["type"] == "list" and "elements" not in option:
        raise CommentError(f"{name}: say what the list is of, with a line `# elements: str` above it.")
    return {key: option[key] for key in ORDER if key in option}


def _check_words(where: str, stated: dict[str, Any], allowed: Sequence[str]) -> None:
    if unknown := stated.keys() - {*allowed}:
        raise CommentError(f"{where}: {', '.join(sorted(unknown))} is none of {', '.join(allowed)}.")
    options = stated.get("options")
    for name, inner in options.items() if isinstance(options, dict) else ():
        _check_words(f"{where}.{name}", inner, ORDER)
        if missing := [word for word in ("type", "description") if not inner.get(word)]:
            raise CommentError(f"{where}.{name}: {' and '.join(missing)} missing.")


def _description(name: str, prose: list[str]) -> str:
    description = " ".join(line.strip() for line in prose).partition("Example:")[0].strip()
    if not description:
        raise CommentError(f"{name}: it has no description. Say what it means in a comment above it.")
    if "{{" in description:
        # Ansible renders the argument spec of a role before it checks by it
        raise CommentError(f"{name}: a description cannot have {{{{. Put it after `Example:`.")
    return re.sub(r"`([^`]*)`", lambda code: f"C({code[1].replace(')', chr(92) + ')')})", description)


def _block(content: dict[str, Any], indent: int) -> str:
    text = yaml.dump(
        content, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=WIDTH - indent
    )
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in text.splitlines())


def main() -> int:
    """Write the files that differ, and name them."""
    for role in roles():
        try:
            text = written(role)
        except CommentError as error:
            print(f"{role / DEFAULTS}: {error}", file=sys.stderr)
            return 1
        if text != (role / SPECS).read_text():
            (role / SPECS).write_text(text)
            print(f"Written: {role / SPECS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
