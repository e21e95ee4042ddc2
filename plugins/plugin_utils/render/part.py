# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the stack: what the file part.yml of its role says, and how its objects are rendered from that.

It asks no cluster and writes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from ansible.module_utils.datatag import native_type_name
from ansible.module_utils.parsing.convert_bool import boolean

from ..cache.parsed_files import parsed_file
from ..text.map_texts import map_texts
from .common_metadata import common_metadata
from .configuration_check import check_configuration
from .manifest import Manifest, ManifestError, labelled, parse_manifest, stamp_labels
from .template_engine import RenderError, TemplateEngine, target_of
from .texts import ADVICE, object_misfits
from .variable_checks import Arguments, Check, for_each_key, kind_of, locked_faults, variable_faults

Labels = tuple[str, str, str | None]
"""Instance, component and namespace, from which the labels of an object are made."""

ROLES = Path(__file__).resolve().parents[3] / "roles"


@dataclass(frozen=True)
class Part:
    """What part.yml says. Its texts may be templates."""

    component: str
    """The label `app.kubernetes.io/component`."""

    instance: str
    """The label `app.kubernetes.io/instance`."""

    templates: Sequence[str] = ()
    """Files in the role's directory `templates`, one object each."""

    objects: Any = ()
    """Complete objects beside those of the templates."""

    checks: Sequence[Mapping[str, Any]] = ()
    """What variables must be like beyond the argument spec; or `checks` that are made `when` a condition holds."""

    enabled: str | None = None
    """The variable that switches the part on. If it is off, the part has no objects and nothing is checked."""

    configuration: Mapping[str, Any] | None = None
    """Where agentsmith.yml comes from, to be checked: `config` or `file`, and the release of the `app`."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What tasks after the rendering need of the part, whether it was rendered or not."""

    directory: Path | None = None
    """The role's directory."""

    arguments: Arguments = field(default_factory=dict)
    """The role's argument spec."""


def read_part(name: str, trust: Callable[[str], str]) -> Part:
    """Return the part that is the role `name` of this collection.

    What all parts have in common, the namespace and the label instance, is checked without a word in part.yml.

    :param trust: marks a text of the file as a template
    :raises RenderError: there is no such part
    """
    directory = ROLES / name
    path = directory / "part.yml"
    if not path.is_file():
        raise RenderError(f"There is no part {name}: {path} does not exist.")
    # Not with Ansible's loader, which notes the origin of every value and takes five times as long
    stated = map_texts(parsed_file(path), trust)
    arguments = role_arguments(directory)
    common = {"agentsmith_namespace": "namespace", f"{name}_instance": "dns_label"}
    checks = [{"variable": variable, "shape": shape} for variable, shape in common.items() if variable in arguments]
    return Part(
        **{**stated, "checks": [*checks, *stated.get("checks", [])]},
        instance=trust(f"{{{{ {name}_instance }}}}"),
        directory=directory,
        arguments=arguments,
    )


def role_arguments(directory: Path, entry: str = "render") -> Arguments:
    """Return the arguments that a role describes for an entry.

    Ansible itself checks the entry `main` only, in a task that takes longer than the rendering.
    """
    path = directory / "meta/argument_specs.yml"
    specs = parsed_file(path)["argument_specs"] if path.is_file() else {}
    arguments: Arguments = specs.get(entry, {}).get("options", {})
    return arguments


def render_part(part: Part, engine: TemplateEngine, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return the `objects` of a part, and with a `configuration` what its check says, of which `failed` may be one.

    :raises RenderError: a variable is not usable, or an object cannot be rendered
    """
    try:
        return _render_part(part, engine, warn)
    except engine.Fault:
        if locked := locked_faults(engine, part.arguments):
            raise RenderError("\n".join(f"The variable {fault}" for fault in locked)) from None
        raise


def _render_part(part: Part, engine: TemplateEngine, warn: Callable[[str], None]) -> dict[str, Any]:
    if not _is_enabled(part, engine):
        return {"objects": []}
    report = _checked_configuration(part, engine)
    for warning in report.pop("warnings", []):
        warn(warning)
    if report.get("failed"):
        return report
    if faults := variable_faults(engine, part.arguments, list(_checks(part, engine)), warn):
        raise RenderError(
            f"The variables of the part {part.component} are not usable for the target {target_of(engine)}; "
            "nothing was rendered.\n" + "\n".join(f"- {fault}" for fault in faults)
        )
    common = common_metadata(engine)
    labels = cache(lambda: _labels(part, engine))
    rendered = [_rendered(part, template, engine, labels) for template in part.templates]
    objects = [*(manifest for manifest in rendered if manifest), *_given(part, engine, labels)]
    for manifest in objects:
        common.add_to(manifest)
    return {**report, "objects": objects}


def _is_enabled(part: Part, engine: TemplateEngine) -> bool:
    """Whether the part is wanted. A text such as `ture` is no answer, rather than a no."""
    if part.enabled is None:
        return True
    value = engine.value(engine.variables[part.enabled])
    try:
        return bool(boolean(value))
    except TypeError:
        name = part.directory.name if part.directory else part.component
        raise RenderError(
            f"Whether the part {name} is wanted cannot be told for the target {target_of(engine)}: "
            f"{part.enabled} is {value!r}. Allowed: true, false."
        ) from None


def _checked_configuration(part: Part, engine: TemplateEngine) -> dict[str, Any]:
    """Check agentsmith.yml. If no source of it is given, or both are, the checks say so by the variables' names."""
    if part.configuration is None:
        return {}
    given = engine.value(part.configuration)
    kinds = {"config": dict, "file": str}
    sources = {name: given[name] for name, kind in kinds.items() if isinstance(given[name], kind) and given[name]}
    return check_configuration(engine, app=given["app"], allow=given["allow"], **sources) if len(sources) == 1 else {}


def _checks(part: Part, engine: TemplateEngine) -> Iterator[Check]:
    for stated in part.checks:
        if "when" not in stated:
            yield from for_each_key(Check(**engine.value(stated)))
        elif engine.holds(stated["when"]):
            for check in stated["checks"]:
                yield from for_each_key(Check(**engine.value(check)))


def _rendered(part: Part, template: str, engine: TemplateEngine, labels: Callable[[], Labels]) -> Manifest | None:
    """The object of a template, None if it renders none."""
    try:
        path = _path_of(part, template, engine)
    except FileNotFoundError as error:
        raise RenderError(f"The template {template} of the part {part.component} was not found: {error}") from None
    where = f"The template {path} cannot be rendered for the target {target_of(engine)}"
    source = path.read_text(encoding="utf-8")
    if path.is_relative_to(ROLES):
        source = engine.of_collection(source)
    try:
        text = engine.document(source)
    except engine.Undefined as error:
        raise RenderError(f"{where}: {error.message}") from None
    except engine.Fault as error:
        raise RenderError(f"{where}: {_syntax_error(source) or kind_of(error)}.") from None
    if not isinstance(text, str | None):  # a template of one expression gives that expression's value
        raise RenderError(f"{where}: it renders a {native_type_name(text)}, not a text; write its YAML in full.")
    try:
        manifest = parse_manifest(text or "")
        if manifest is not None:
            stamp_labels(manifest, *labels())
    except ManifestError as error:
        raise RenderError(f"{where}: {error}.") from None
    return manifest


def _given(part: Part, engine: TemplateEngine, labels: Callable[[], Labels]) -> Iterator[Manifest]:
    """The complete objects."""
    objects = engine.value(part.objects)
    if not isinstance(objects, list | tuple):
        raise RenderError(f"The objects of the part {part.component} are a {native_type_name(objects)}, not a list.")
    for position, manifest in enumerate(objects):
        where = f"Object {position} of the part {part.component} is not usable for the target {target_of(engine)}"
        try:
            labelled_object = labelled(manifest, *labels())
        except ManifestError as error:
            raise RenderError(f"{where}: {error}.") from None
        if faults := list(object_misfits(labelled_object)):
            named = f"{labelled_object['kind']} {labelled_object['metadata']['name']}"
            raise RenderError(f"{where}: in its {named}, {'; '.join(faults)}. Allowed: {ADVICE}.")
        yield labelled_object


def _path_of(part: Part, template: str, engine: TemplateEngine) -> Path:
    """Where a template lies: with the role, else where the engine finds it."""
    if part.directory and (path := part.directory / "templates" / template).is_file():
        return path
    return engine.find("templates", template)


def _labels(part: Part, engine: TemplateEngine) -> Labels:
    """Instance, component, and the namespace of the release: a fact of the target, None outside of a release."""
    return engine.value(part.instance), part.component, engine.value(engine.variables.get("agentsmith_namespace"))


def _syntax_error(source: str) -> str | None:
    """What is wrong in the template itself, which holds no value of a variable; None if it parses."""
    try:
        jinja2.Environment(autoescape=False).parse(source)  # noqa: S701 - parsed, never rendered
    except jinja2.TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    return None
