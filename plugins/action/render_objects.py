# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind agentsmith.platform.render_objects, documented in plugins/modules/render_objects.py."""

from __future__ import annotations

import gc
import re
import typing as t
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleTemplateError, AnsibleUndefinedVariable
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.datatag import native_type_name
from ansible.plugins.loader import filter_loader, test_loader
from ansible.template import is_trusted_as_template, trust_as_template
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.texts import map_texts
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.manifest import (
    Manifest,
    ManifestError,
    labelled,
    parse_manifest,
    stamp_labels,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.shapes import (
    SHAPES,
    Shape,
    misfits,
    type_in_words,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import (
    placeholder_fault,
    value_fault,
    vault_variable,
)

# This file is imported once, by the process that forks a worker for every task. Ansible loads its filters and tests
# when the first is used: loaded here they are there in all workers, instead of 10 ms of every one of them.
filter_loader.get("ansible.builtin.to_json")
filter_loader.get("agentsmith.platform.resource_quota")
test_loader.get("ansible.builtin.defined")
# What Ansible has loaded by now stays to the end. The garbage collector would walk over it again and again, and by that
# copy its memory into every worker (Python: gc.freeze, on fork without exec): a tenth of a deploy that changes nothing.
gc.freeze()

ARGUMENT_SPEC: dict[str, t.Any] = {
    "component": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "templates": {"type": "list", "elements": "str", "default": []},
    # Checked one by one: what Ansible says of a wrong one would quote it.
    "objects": {"type": "raw", "default": []},
    "checks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "variable": {"type": "str", "required": True},
            "shape": {"type": "str", "choices": sorted(SHAPES)},
            "matches": {"type": "str"},
            "that": {"type": "str"},
            "value_of": {"type": "str"},
            "vault": {"type": "str"},
            "certificate_for": {"type": "str"},
            "certificate_key": {"type": "str", "no_log": False},
            "each": {"type": "bool", "default": False},
            "allowed": {"type": "str"},
            "secret": {"type": "bool", "default": False},
        },
        "mutually_exclusive": [("shape", "matches", "value_of", "vault", "certificate_for", "that")],
        "required_one_of": [("shape", "matches", "value_of", "vault", "certificate_for", "that")],
        "required_together": [("certificate_for", "certificate_key")],
        "required_by": {"matches": "allowed", "that": "allowed"},
    },
}


class ActionModule(ControlNodeAction):
    """Renders a role's templates to objects, in memory, with the same result in check mode."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the objects, which no callback prints.

        Raises AnsibleActionFail, which every callback prints and which therefore quotes no value that may be secret.
        """
        options = self.checked_options(tmp, task_vars, ARGUMENT_SPEC)
        self._vars = task_vars if task_vars is not None else {}
        if self._templar.available_variables is not self._vars:
            self._templar = self._templar.copy_with_new_env(available_variables=self._vars)
        self._target = self._vars.get("inventory_hostname", "localhost")
        self._check_variables(options["component"], options["checks"])
        rendered = [
            self._render(template, options["instance"], options["component"]) for template in options["templates"]
        ]
        given = self._complete(options["objects"], options["instance"], options["component"])
        # register hands the objects on, no callback shows them: a Secret is among them
        return {
            "changed": False,
            "objects": [*(manifest for manifest in rendered if manifest is not None), *given],
            "_ansible_no_log": True,
        }

    def _check_variables(self, component: str, checks: list[dict[str, t.Any]]) -> None:
        """Report all faults at once. How variables fit together is asked only when each of them is right by itself."""
        arguments = self._role_arguments()
        # Of the type raw are objects, which are checked where they are used: templating them takes longer than all else
        plain = [name for name, argument in arguments.items() if argument.get("type") != "raw"]
        names = dict.fromkeys([*plain, *(check["variable"].split(".")[0] for check in checks)])
        secrets = {name for name, argument in arguments.items() if argument.get("no_log")}
        secrets |= {check["variable"] for check in checks if check["secret"] or _vault_of(check)}
        secrets |= {check["certificate_key"] for check in checks if check["certificate_key"]}
        values, faults = self._values([name for name in names if name in self._vars], secrets)
        containers = _container_faults(arguments, values)
        faults += containers.values()
        values = {name: value for name, value in values.items() if name not in containers}
        if not faults:
            asked = {name: argument for name, argument in arguments.items() if name in names}
            faults = _argument_faults(asked, {name: values[name] for name in asked if name in values})
        unusable = self._vars.keys() & names.keys() - values.keys()
        for check in checks:
            if check["certificate_key"]:
                faults += self._certificate_faults(check, values)
            elif (vault := _vault_of(check)) and (fault := self._vault_fault(vault)):
                faults.append(fault)
            elif not check["that"] and not check["vault"] and check["variable"].split(".")[0] not in unusable:
                faults += _shape_faults(check, values)
        # What follows finds the values that were just checked, instead of templating them again at every mention
        self._vars.update(values)
        if not faults:
            faults = self._relation_faults([check for check in checks if check["that"]])
        if faults:
            raise AnsibleActionFail(
                f"The variables of the part {component} are not usable for the target {self._target}; "
                "nothing was rendered.\n" + "\n".join(f"- {fault}" for fault in faults)
            )

    def _role_arguments(self) -> dict[str, t.Any]:
        """The arguments that the role of this task describes for its entry `render`; none outside of such a role.

        Ansible itself checks the entry `main` only, in a task that takes longer than the rendering.
        """
        if "role_path" not in self._vars:
            return {}
        path = Path(self._vars["role_path"], "meta", "argument_specs.yml")
        # Not with Ansible's loader, which notes the origin of every value and takes five times as long
        specs = yaml_load(path.read_bytes())["argument_specs"] if path.is_file() else {}
        return specs.get("render", {}).get("options", {})

    def _values(self, names: list[str], secrets: set[str]) -> tuple[dict[str, t.Any], list[str]]:
        """The values of variables, and what is wrong with those that cannot be had."""
        values, faults = {}, []
        for name in names:
            try:
                values[name] = self._templar.template(self._vars[name])
            except AnsibleTemplateError as error:
                if name in secrets and (missing := re.search(r"'(vault_\w+)' is undefined", str(error))):
                    faults.append(f"{name} cannot be read: {missing[1]} is not set.")
                elif name in secrets:  # what is undefined in the password a{{b}}c is a part of it
                    advice = "Correct its expression, or write a value with {{ or {% in it as !unsafe '…'."
                    faults.append(f"{name} cannot be read: {_kind_of(error)}. {advice}")
                elif isinstance(error, AnsibleUndefinedVariable):
                    faults.append(f"{name} cannot be read: {error.message}")
                else:
                    raise
        return values, faults

    def _certificate_faults(self, check: dict[str, t.Any], values: dict[str, t.Any]) -> list[str]:
        # Imported here: it costs 30 ms, and few releases bring a certificate of their own
        from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets import tls_certificate

        names = check["variable"], check["certificate_key"]
        faults = [f"{name} {fault}" for name in names if (fault := placeholder_fault(values.get(name)))]
        if faults:
            return faults
        certificate, key = (str(values.get(name) or "") for name in names)
        verdict = tls_certificate.judge(certificate, key, check["certificate_for"], datetime.now(UTC))
        for warning in verdict.warnings:
            self._display.warning(f"{names[0]} of the target {self._target} {warning}.")
        faults = [f"{names[0]} {fault}." for fault in verdict.certificate_faults]
        return faults + [f"{names[1]} {fault}." for fault in verdict.key_faults]

    def _vault_fault(self, name: str) -> str | None:
        """What is wrong with a Vault variable that holds template syntax.

        Where it cannot be rendered, `default` in the role's defaults would take it for one that is not set; a comment
        would silently cut it short. Neither the value nor the name of what is undefined is quoted: with a password such
        as a{{b}}c both are parts of a secret.
        """
        source = self._vars.get(name)
        if not isinstance(source, str) or not is_trusted_as_template(source):
            return None
        try:
            self._templar.template(source)
        except AnsibleTemplateError as error:
            fault = f"holds {{{{ or {{% and cannot be rendered ({type(error).__name__})"
        else:
            fault = "holds {#, with which a comment begins in Ansible" if "{#" in source else None
        return (
            f"{name} {fault}: correct the expression, or write a value that is none as !unsafe '…'." if fault else None
        )

    def _relation_faults(self, checks: list[dict[str, t.Any]]) -> list[str]:
        """Ask all at once, as compiling a condition costs more than its answer; one by one where one does not hold."""
        all_at_once = " and ".join(f"({check['that']})" for check in checks)
        try:
            if not checks or self._templar.evaluate_conditional(trust_as_template(all_at_once)):
                return []
        except AnsibleTemplateError:
            pass  # which one it was is found next
        return [fault for check in checks for fault in self._relation_fault(check)]

    def _relation_fault(self, check: dict[str, t.Any]) -> list[str]:
        try:
            fits = self._templar.evaluate_conditional(check["that"])
        except AnsibleTemplateError as error:
            return [f"{check['variable']} cannot be checked: {_kind_of(error)}. Allowed: {check['allowed']}."]
        return [] if fits else [f"{check['variable']} does not fit. Allowed: {check['allowed']}."]

    def _complete(self, objects: t.Any, instance: str, component: str) -> list[Manifest]:
        if not isinstance(objects, list):
            kind = native_type_name(objects)
            raise AnsibleActionFail(f"The objects of the part {component} are a {kind}, not a list.")
        given = []
        for position, manifest in enumerate(objects):
            try:
                given.append(labelled(manifest, instance, component, self._namespace()))
            except ManifestError as error:
                where = f"Object {position} of the part {component} is not usable for the target {self._target}"
                raise AnsibleActionFail(f"{where}: {error}.") from None
        return given

    def _render(self, template: str, instance: str, component: str) -> Manifest | None:
        try:
            path = self._path_of(template)
        except AnsibleError as error:
            raise AnsibleActionFail(f"The template {template} of the part {component} was not found: {error}") from None
        where = f"The template {path} cannot be rendered for the target {self._target}"
        source = self._loader.get_text_file_contents(path)
        try:
            text = self._templar.template(
                trust_as_template(source),
                escape_backslashes=False,
                overrides={"trim_blocks": True, "lstrip_blocks": True},
            )
        except AnsibleUndefinedVariable as error:
            raise AnsibleActionFail(f"{where}: {error.message}") from None
        except AnsibleTemplateError as error:
            raise AnsibleActionFail(f"{where}: {_syntax_error(source) or _kind_of(error)}.") from None
        if not isinstance(text, str | None):  # a template of one expression gives that expression's value
            raise AnsibleActionFail(
                f"{where}: it renders a {native_type_name(text)}, not a text; write its YAML in full."
            )
        try:
            manifest = parse_manifest(text or "")
            if manifest is not None:
                stamp_labels(manifest, instance, component, self._namespace())
        except ManifestError as error:
            raise AnsibleActionFail(f"{where}: {error}.") from None
        return manifest

    def _path_of(self, template: str) -> str:
        """Where a template lies: with the role, else where Ansible looks for the templates of a task."""
        if "role_path" in self._vars and (path := Path(self._vars["role_path"], "templates", template)).is_file():
            return str(path)
        return self._find_needle("templates", template)

    def _namespace(self) -> str | None:
        """The namespace of the release: a fact of the target. None outside of a release."""
        return self._templar.template(self._vars.get("agentsmith_namespace"))


def _container_faults(arguments: dict[str, t.Any], values: dict[str, t.Any]) -> dict[str, str]:
    """What is no list or dictionary where one is asked for, by variable. The validator takes a text such as `-e` gives
    for a list of one and throws the list away; the templates would go through its letters.
    """
    kinds = {"list": (list, "a list"), "dict": (dict, "a dictionary")}
    return {
        name: f"{name} is {type_in_words(values[name])}. Allowed: {words} "
        f"(on the command line as JSON: -e '{{\"{name}\": …}}')."
        for name, argument in arguments.items()
        for kind, words in [kinds.get(argument.get("type"), (object, ""))]
        if name in values and not isinstance(values[name], kind)
    }


def _argument_faults(arguments: dict[str, t.Any], values: dict[str, t.Any]) -> list[str]:
    # The validator copies everything. Without the notes on its origin that Ansible keeps with each text, that is quick.
    plain = map_texts(values, str.__str__)
    faults = ArgumentSpecValidator(arguments).validate(plain).error_messages
    secrets = [values[name] for name, argument in arguments.items() if argument.get("no_log") and values.get(name)]
    return remove_values(faults, {value for value in secrets if isinstance(value, str)})


def _vault_of(check: dict[str, t.Any]) -> str | None:
    """The Vault variable that the variable of a check takes its value from."""
    return vault_variable(check["value_of"]) if check["value_of"] else check["vault"]


def _shape_faults(check: dict[str, t.Any], values: dict[str, t.Any]) -> list[str]:
    if check["value_of"]:
        fault = value_fault(check["value_of"], values.get(check["variable"]))
        advice = f"Its Vault variable is {vault_variable(check['value_of'])}."
        return [f"{check['variable']} {fault} {advice}"] if fault else []
    shape = SHAPES[check["shape"]] if check["shape"] else Shape(check["matches"], "", number=True)
    allowed = check["allowed"] or shape.allowed
    value: t.Any = values
    for key in check["variable"].split("."):
        if not isinstance(value, dict) or key not in value:
            return [f"{check['variable']} is not set. Allowed: {allowed}."]
        value = value[key]
    faults = misfits(
        check["variable"], value, shape.pattern, number=shape.number, each=check["each"], secret=check["secret"]
    )
    return [f"{fault}. Allowed: {allowed}." for fault in faults]


def _kind_of(error: Exception) -> str:
    """The kind of an error only: the complaint of a filter often quotes its input."""
    return f"{type(error).__name__} (what it says is not shown, as it may quote a secret value)"


def _syntax_error(source: str) -> str | None:
    """What is wrong in the template itself, which holds no value of a variable; None where it parses."""
    try:
        jinja2.Environment(autoescape=False).parse(source)  # noqa: S701 - parsed, never rendered
    except jinja2.TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    return None
