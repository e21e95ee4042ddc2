# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind agentsmith.platform.render_release, documented in plugins/modules/render_release.py.

A task costs Ansible some 25 ms, for a process and its queues, and each process compiles the templates of the same
variables again. So all parts are rendered in this one, and the Secret is compared with the configuration in it.
"""

import gc
from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils.actions.ansible_templates import AnsibleTemplates
from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.vault_values import refuse_published_password
from ..plugin_utils.cache.parsed_files import parsed_file
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.render.part import ROLES, read_part, render_part
from ..plugin_utils.render.part_selection import is_selected
from ..plugin_utils.render.template_engine import RenderError
from ..plugin_utils.render.verification_variables import check_verification_variables
from ..plugin_utils.secrets.preflight import compare_secret
from ..plugin_utils.text.map_texts import map_texts

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Renders the parts of a release, with the same result in check mode."""

    ALWAYS_CONNECTS = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the objects, which no callback prints. A part with a fault ends the task, in the part's own words."""
        # The worker ends with this task: what it leaves behind needs no collecting, which took a tenth of the time
        gc.disable()
        options = self.checked_options(tmp, task_vars, OPTIONS)
        roles = [*options["parts"], "preflight", *(["verify"] if options["verified"] else [])]
        # One dictionary for all parts: a value that one has checked is not templated again by the next
        engine = AnsibleTemplates(self, {})
        engine.variables.update(_with_role_variables(roles, task_vars or {}, engine.of_collection))
        # Without parts no value of the inventory gets into an object
        if options["parts"]:
            refuse_published_password(task_vars or {})
        try:
            result = self._render(options, engine)
        except (RenderError, ApplyError) as error:
            raise AnsibleActionFail(str(error)) from None
        engine.compiled.keep()
        return result

    def _render(self, options: dict[str, Any], engine: AnsibleTemplates) -> dict[str, Any]:
        parts = {name: read_part(name, engine.of_collection) for name in options["parts"]}
        rendered: dict[str, dict[str, Any]] = {}
        for position, (name, part) in enumerate(parts.items()):
            if not options["in_full"] and not self._is_selected(name, engine):
                continue
            before = [manifest for result in rendered.values() for manifest in result["objects"]]
            engine.variables["objects_of_other_parts"] = before if len(rendered) == position else []
            rendered[name] = render_part(part, engine, self._display.warning)
            if rendered[name].get("failed"):
                return rendered[name]
        if parts and not rendered:  # nothing to do would be a success
            raise RenderError(f"--tags and --skip-tags leave no part of the release. Its parts: {', '.join(parts)}.")
        outputs = {name: engine.value(source) for part in parts.values() for name, source in part.outputs.items()}
        # With --tags what is compared may not be there
        if options["preflight"] and rendered.keys() >= {"secrets", "config"}:
            self._compare_secret(rendered, outputs, options, engine)
        # What is rendered in part is not verified
        if options["verified"] and len(rendered) == len(parts):
            check_verification_variables(engine, _checks_of_verify, self._display.warning)
        return {
            "changed": False,
            "objects": [manifest for result in rendered.values() for manifest in result["objects"]],
            "complete": len(rendered) == len(parts),
            "outputs": outputs,
            # register hands the objects on, no callback shows them: a Secret is among them
            "_ansible_no_log": True,
        }

    def _is_selected(self, part: str, engine: AnsibleTemplates) -> bool:
        run_tags, skip_tags = engine.variables["ansible_run_tags"], engine.variables["ansible_skip_tags"]
        return is_selected(part, self._task.tags, run_tags, skip_tags)

    def _compare_secret(
        self,
        rendered: dict[str, dict[str, Any]],
        outputs: dict[str, Any],
        options: dict[str, Any],
        engine: AnsibleTemplates,
    ) -> None:
        """Compare the Secret with what the configuration and the Dispatcher need: the live one if none was rendered."""
        name = outputs["secret_name"]
        secrets = [manifest for manifest in rendered["secrets"]["objects"] if manifest["metadata"]["name"] == name]
        comparison = compare_secret(
            lambda: self.connection(options),
            namespace=engine.value(engine.variables["agentsmith_namespace"]),
            name=name,
            required=[*rendered["config"]["required_secrets"], *outputs["required_secrets"]],
            keys=list(secrets[0]["data"]) if secrets else None,
            report_unused=boolean(engine.value(engine.variables["preflight_report_unused_keys"])),
            tls_secret=outputs["tls_secret_name"],
            tls_host=outputs["tls_host"],
        )
        for warning in comparison["warnings"]:
            self._display.warning(warning)


def _checks_of_verify() -> list[str]:
    """The checks that a verification can be limited to, by name and by part."""
    names: list[str] = documented_options(__name__.replace("render_release", "verify_release"))["only"]["choices"]
    return names


def _with_role_variables(
    roles: Iterable[str], task_vars: dict[str, Any], trust: Callable[[str], str]
) -> dict[str, Any]:
    """Return the task's variables with those of the roles: `defaults` give way to all, `vars` to nothing.

    Importing ten roles takes Ansible longer: it gathers all variables anew three times for each.
    """
    found: dict[str, dict[str, Any]] = {"defaults": {}, "vars": {}}
    for role in roles:
        for directory, variables in found.items():
            path = ROLES / role / directory / "main.yml"
            if path.is_file():
                variables.update(map_texts(parsed_file(path) or {}, trust))
    return {**found["defaults"], **task_vars, **found["vars"]}
