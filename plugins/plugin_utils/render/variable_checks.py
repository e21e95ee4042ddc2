# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the variables of a role are usable: by its argument spec, and by checks that such a spec cannot express.

All faults are told at once, and none quotes a value that may be secret.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values

from ..secrets.secret_values import KEYS, placeholder_fault, snake_case, undecryptable, value_fault, vault_variable
from ..text.map_texts import map_texts
from ..text.type_in_words import type_in_words
from .shapes import SHAPES, Shape, misfits
from .template_engine import TemplateEngine, target_of
from .texts import ADVICE, argument_misfits, is_map_of_texts

Arguments = Mapping[str, Mapping[str, Any]]
"""What an argument spec says of each variable."""

CHECK_RULES: dict[str, Any] = {
    "mutually_exclusive": [("shape", "matches", "value_of", "vault", "certificate_for", "that")],
    "required_one_of": [("shape", "matches", "value_of", "vault", "certificate_for", "that")],
    "required_together": [("certificate_for", "certificate_key")],
    "required_by": {"matches": "allowed", "that": "allowed"},
}
"""Which keys of a check go together. Each of them is documented in plugins/modules/render_objects.py."""

TEXT_FACTS = (
    *("agentsmith_registry", "agentsmith_version", "agentsmith_agent_image", "agentsmith_public_url"),
    *("agentsmith_context", "agentsmith_on_failure"),
)
"""The facts of a target that are texts, without those that a role's variable checks, which is nothing but the fact."""


@dataclass(frozen=True)
class Check:
    """One of the `checks` of a part; plugins/modules/render_objects.py says what each key means."""

    variable: str
    shape: str | None = None
    matches: str | None = None
    that: str | None = None
    value_of: str | None = None
    vault: str | None = None
    certificate_for: str | None = None
    certificate_key: str | None = None
    each: bool = False
    allowed: str | None = None
    secret: bool = False

    @property
    def root(self) -> str:
        """The variable itself, without the path into it."""
        return self.variable.split(".")[0]

    @property
    def vault_name(self) -> str | None:
        """The Vault variable that the variable takes its value from."""
        return vault_variable(self.value_of) if self.value_of else self.vault


def for_each_key(check: Check) -> list[Check]:
    """Return the check, or if its `value_of` is `*`, one for each key of the app's Secret.

    In the name of the variable `*` is the key in snake case.
    """
    if check.value_of != "*":
        return [check]
    return [replace(check, variable=check.variable.replace("*", snake_case(key)), value_of=key) for key in KEYS]


def variable_faults(
    engine: TemplateEngine, arguments: Arguments, checks: Sequence[Check], warn: Callable[[str], None]
) -> list[str]:
    """Return what is wrong with the variables of a role; `warn` of what soon will be.

    How variables fit together is asked only if each of them is right by itself. The engine then has their values
    instead of their templates.
    """
    # Of the type raw are objects, which are checked where they are used: templating them takes longer than all else
    plain = [name for name, argument in arguments.items() if argument.get("type") != "raw"]
    names = dict.fromkeys([*plain, *(check.root for check in checks)])
    secrets = {name for name, argument in arguments.items() if argument.get("no_log")}
    secrets |= {check.variable for check in checks if check.secret or check.vault_name}
    secrets |= {check.certificate_key for check in checks if check.certificate_key}
    values, faults = _values(engine, [name for name in names if name in engine.variables], secrets)
    containers = _container_faults(arguments, values)
    faults += containers.values()
    values = {name: value for name, value in values.items() if name not in containers}
    if not faults:
        asked = {name: argument for name, argument in arguments.items() if name in names}
        faults = _argument_faults(asked, {name: values[name] for name in asked if name in values})
    faults += _text_faults(engine, arguments, values, checks)
    unusable = engine.variables.keys() & names.keys() - values.keys()
    for check in checks:
        if check.certificate_key:
            faults += _certificate_faults(engine, check, values, warn)
        elif check.vault_name and (fault := _vault_fault(engine, check.vault_name)):
            faults.append(fault)
        elif not check.that and not check.vault and check.root not in unusable:
            faults += _shape_faults(check, values)
    # What follows finds the values that were just checked, instead of templating them again at every mention
    engine.variables.update(values)
    return faults or _relation_faults(engine, [check for check in checks if check.that])


def kind_of(error: Exception) -> str:
    """Name an error by its kind only: the complaint of a filter often quotes its input."""
    return f"{type(error).__name__} (what it says is not shown, as it may quote a secret value)"


def locked_faults(engine: TemplateEngine, names: Iterable[str]) -> list[str]:
    """Name the encrypted values that no given password opens, among variables and what their templates mention."""
    faults, seen, pending = [], set(), list(names)
    while pending:
        name = pending.pop()
        if name not in engine.variables or name in seen:
            continue
        seen.add(name)
        for path, value in _leaves(name, engine.variables[name]):
            if vault_id := engine.locked_by(value):
                faults.append(undecryptable(path, vault_id))
            elif engine.is_template(value):
                pending += re.findall(r"\w+", value)
    return faults


def _leaves(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(f"{path}.{key}", item)]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(f"{path}[{index}]", item)]
    return [(path, value)]


def _values(engine: TemplateEngine, names: Iterable[str], secrets: set[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of variables, and what is wrong with those that cannot be had."""
    values, faults = {}, []
    for name in names:
        try:
            values[name] = engine.value(engine.variables[name])
        except engine.Fault as error:
            if locked := locked_faults(engine, [name]):
                faults += [fault for fault in locked if fault not in faults]
            elif name in secrets and (missing := re.search(r"'(vault_\w+)' is undefined", str(error))):
                faults.append(f"{name} cannot be read: {missing[1]} is not set.")
            elif name in secrets:  # what is undefined in the password a{{b}}c is a part of it
                advice = "Correct its expression, or write a value with {{ or {% in it as !unsafe '…'."
                faults.append(f"{name} cannot be read: {kind_of(error)}. {advice}")
            elif isinstance(error, engine.Undefined):
                faults.append(f"{name} cannot be read: {error.message}")
            else:
                raise
    return values, faults


def _container_faults(arguments: Arguments, values: Mapping[str, Any]) -> dict[str, str]:
    """What is no list or dictionary where one is asked for, by variable. The validator takes a text such as `-e` gives
    for a list of one and throws the list away; the templates would go through its letters.
    """
    kinds: dict[Any, tuple[type, str]] = {"list": (list, "a list"), "dict": (dict, "a dictionary")}
    return {
        name: f"{name} is {type_in_words(values[name])}. Allowed: {words} "
        f"(on the command line as JSON: -e '{{\"{name}\": …}}')."
        for name, argument in arguments.items()
        for kind, words in [kinds.get(argument.get("type"), (object, ""))]
        if name in values and not isinstance(values[name], kind)
    }


def _argument_faults(arguments: Arguments, values: dict[str, Any]) -> list[str]:
    # The validator copies everything. Without the notes on its origin that Ansible keeps with each text, that is quick.
    plain = map_texts(values, str.__str__)
    faults: list[str] = ArgumentSpecValidator(arguments).validate(plain).error_messages
    secrets = [values[name] for name, argument in arguments.items() if argument.get("no_log") and values.get(name)]
    return list(remove_values(faults, {value for value in secrets if isinstance(value, str)}))


def _text_faults(
    engine: TemplateEngine, arguments: Arguments, values: Mapping[str, Any], checks: Sequence[Check]
) -> list[str]:
    """What is no text although it must be one, beside what a check asks for by its shape. The validator converts it."""
    # A list within a list has items of the shape, but is no list of texts
    lists = {name for name, argument in arguments.items() if argument.get("type") == "list"}
    checked = {check.variable for check in checks if check.shape or check.matches or check.value_of} - lists
    asked = [(name, argument, values[name]) for name, argument in arguments.items() if name in values.keys() - checked]
    for name in engine.variables:
        if name in TEXT_FACTS or (name.startswith("agentsmith_") and is_map_of_texts(name)):
            value, kind = engine.variables[name], "str" if name in TEXT_FACTS else "dict"
            asked.append((name, {"type": kind}, engine.value(value) if engine.is_template(value) else value))
    return [f"{fault}. Allowed: {ADVICE}." for of_one in asked for fault in argument_misfits(*of_one)]


def _certificate_faults(
    engine: TemplateEngine, check: Check, values: Mapping[str, Any], warn: Callable[[str], None]
) -> list[str]:
    # Imported here: it costs 30 ms, and few releases bring a certificate of their own
    from ..secrets import tls_certificate

    names = check.variable, check.certificate_key or ""
    faults = [f"{name} {fault}" for name in names if (fault := placeholder_fault(values.get(name)))]
    if faults:
        return faults
    certificate, key = (str(values.get(name) or "") for name in names)
    verdict = tls_certificate.judge(certificate, key, check.certificate_for or "", datetime.now(UTC))
    target = target_of(engine)
    for warning in verdict.warnings:
        warn(f"{check.variable} of the target {target} {warning}.")
    faults = [f"{check.variable} {fault}." for fault in verdict.certificate_faults]
    return faults + [f"{check.certificate_key} {fault}." for fault in verdict.key_faults]


def _vault_fault(engine: TemplateEngine, name: str) -> str | None:
    """What is wrong with a Vault variable that holds template syntax.

    If it cannot be rendered, `default` in the role's defaults would take it for one that is not set; a comment would
    silently cut it short. Neither the value nor the name of what is undefined is quoted: with a password such as
    a{{b}}c both are parts of a secret.
    """
    source = engine.variables.get(name)
    fault: str | None
    if not engine.is_template(source):
        return None
    try:
        engine.value(source)
    except engine.Fault as error:
        fault = f"holds {{{{ or {{% and cannot be rendered ({type(error).__name__})"
    else:
        fault = "holds {#, with which a comment begins in Ansible" if "{#" in str(source) else None
    return f"{name} {fault}: correct the expression, or write a value that is none as !unsafe '…'." if fault else None


def _shape_faults(check: Check, values: Mapping[str, Any]) -> list[str]:
    if check.value_of:
        fault = value_fault(check.value_of, values.get(check.variable))
        advice = f"Its Vault variable is {check.vault_name}."
        return [f"{check.variable} {fault} {advice}"] if fault else []
    shape = SHAPES[check.shape] if check.shape else Shape(check.matches or "", "")
    allowed = check.allowed or shape.allowed
    value: Any = values
    for key in check.variable.split("."):
        if not isinstance(value, dict) or key not in value:
            return [f"{check.variable} is not set. Allowed: {allowed}."]
        value = value[key]
    faults = misfits(check.variable, value, shape.pattern, number=shape.number, each=check.each, secret=check.secret)
    return [f"{fault}. Allowed: {allowed}." for fault in faults]


def _relation_faults(engine: TemplateEngine, checks: list[Check]) -> list[str]:
    """Ask all at once, as compiling a condition costs more than its answer; one by one if one does not hold."""
    try:
        if not checks or engine.holds(*(str(check.that) for check in checks)):
            return []
    except engine.Fault:
        pass  # which one it was is found next
    return [fault for check in checks for fault in _relation_fault(engine, check)]


def _relation_fault(engine: TemplateEngine, check: Check) -> list[str]:
    try:
        fits = engine.holds(str(check.that))
    except engine.Fault as error:
        return [f"{check.variable} cannot be checked: {kind_of(error)}. Allowed: {check.allowed}."]
    return [] if fits else [f"{check.variable} does not fit. Allowed: {check.allowed}."]
