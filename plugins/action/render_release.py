# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind agentsmith.platform.render_release, documented in plugins/modules/render_release.py.

A task costs Ansible some 25 ms, for a process and its queues, and each process compiles the templates of the same
variables again. So the tasks that render, and those that check what was rendered, are run one after another in this.
"""

from __future__ import annotations

import gc
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible_collections.agentsmith.platform.plugins.action import config_check, render_objects, secret_keys_check
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.cluster_action import (
    AUTH_ARG_SPEC,
    ClusterAction,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.texts import map_texts

ROLES = Path(__file__).resolve().parents[2] / "roles"

ACTIONS: dict[str, type[ActionBase]] = {
    "agentsmith.platform.config_check": config_check.ActionModule,
    "agentsmith.platform.render_objects": render_objects.ActionModule,
    "agentsmith.platform.secret_keys_check": secret_keys_check.ActionModule,
}

# What of Ansible's task language the files of a part may use. What is registered is read by tasks/main.yml alone.
KEYWORDS = ("name", "when", "register")
ALLOWED = ", ".join([*KEYWORDS, *ACTIONS])

ARGUMENT_SPEC: dict[str, t.Any] = {
    "parts": {"type": "list", "elements": "str", "required": True},
    "conditions": {"type": "dict", "default": {}},
    "checks": {"type": "dict", "default": {}},
    "in_full": {"type": "bool", "default": False},
    "variables": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ClusterAction):
    """Renders the parts of a release, with the same result in check mode."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the objects, which no callback prints. A part with a fault ends the task, in the part's own words."""
        # The worker ends with this task: what it leaves behind needs no collecting, which took a tenth of the time
        gc.disable()
        options = self.checked_options(tmp, task_vars, ARGUMENT_SPEC)
        given = {name: options[name] for name in AUTH_ARG_SPEC}
        self._connection_options = {name: value for name, value in given.items() if value is not None}
        parts = options["parts"]
        variables = self._with_role_variables([*parts, *options["checks"]], task_vars or {})
        # One dictionary for all parts: a value that one has checked is not templated again by the next
        self._templar = self._templar.copy_with_new_env(available_variables=variables)
        selected = [part for part in parts if options["in_full"] or self._is_selected(part, variables)]
        result: dict[str, t.Any] = {"changed": False, "parts": {}, "complete": len(selected) == len(parts)}
        for part in selected:
            objects: list[t.Any] = []
            if part not in options["conditions"] or self._is_wanted(part, options["conditions"][part], variables):
                # The quota, the last part, adds up what the others rendered
                known = [manifest for rendered in result["parts"].values() for manifest in rendered]
                variables["release_objects"] = known
                variables["release_can_be_added_up"] = len(result["parts"]) >= len(parts) - 1
                for registered in self._run_tasks(part, "render", variables):
                    if registered.get("failed"):
                        return registered
                    objects += registered.get("objects", [])
                    if "required_secrets" in registered:
                        result["required_secrets"] = registered["required_secrets"]
            result["parts"][part] = objects
        variables["release_render"] = result
        for role, compared in options["checks"].items():
            # With --tags what it compares may not be there
            if result["parts"].keys() >= {*compared}:
                for registered in self._run_tasks(role, "main", variables):
                    if registered.get("failed"):
                        return registered
        unknown = [name for name in options["variables"] if name not in variables]
        if unknown:
            raise AnsibleActionFail(f"No part has the variables {', '.join(unknown)}, which `variables` asks for.")
        result["variables"] = {name: self._templar.template(variables[name]) for name in options["variables"]}
        # register hands the objects on, no callback shows them: a Secret is among them
        return {**result, "_ansible_no_log": True}

    @staticmethod
    def _with_role_variables(roles: t.Iterable[str], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the task's variables with those of the roles: `defaults` give way to all, `vars` to nothing.

        Importing ten roles takes Ansible longer: it gathers all variables anew three times for each.
        """
        defaults: dict[str, t.Any] = {}
        private: dict[str, t.Any] = {}
        for role in roles:
            for directory, found in (("defaults", defaults), ("vars", private)):
                path = ROLES / role / directory / "main.yml"
                if path.is_file():
                    found.update(map_texts(yaml_load(path.read_bytes()) or {}, trust_as_template))
        return {**defaults, **task_vars, **private}

    def _run_tasks(self, role: str, file: str, variables: dict[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
        """Run roles/ROLE/tasks/FILE.yml and yield the results. `variables` gets the values that were checked."""
        path = ROLES / role / "tasks" / f"{file}.yml"
        if not path.is_file():
            raise AnsibleActionFail(f"There is no part {role}: {path} does not exist.")
        variables["role_path"] = str(ROLES / role)
        # Not with Ansible's loader, which notes the origin of every value: checking the options would copy all of them
        for task in map_texts(yaml_load(path.read_bytes()), trust_as_template):
            if unknown := task.keys() - {*KEYWORDS, *ACTIONS}:
                raise AnsibleActionFail(f"{path} has {', '.join(sorted(unknown))} in a task. Allowed: {ALLOWED}.")
            if "when" in task and not self._templar.evaluate_conditional(task["when"]):
                continue
            action = next(key for key in task if key in ACTIONS)
            result = self._action(action, self._templar.template(task[action])).run(task_vars=variables)
            for warning in result.get("warnings", []):
                self._display.warning(warning)
            yield result

    def _action(self, name: str, arguments: dict[str, t.Any]) -> ActionBase:
        task = self._task.copy(exclude_parent=True)
        task.args = {**self._connection_options, **arguments} if issubclass(ACTIONS[name], ClusterAction) else arguments
        return ACTIONS[name](
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )

    def _is_wanted(self, part: str, condition: str, variables: dict[str, t.Any]) -> bool:
        """Whether the condition of a part holds. A text such as `ture` is no answer, rather than a no."""
        value = self._templar.evaluate_expression(condition)
        try:
            return boolean(value)
        except TypeError:
            raise AnsibleActionFail(
                f"Whether the part {part} is wanted cannot be told for the target {variables['inventory_hostname']}: "
                f"{condition} is {value!r}. Allowed: true, false."
            ) from None

    def _is_selected(self, part: str, variables: dict[str, t.Any]) -> bool:
        """Whether --tags and --skip-tags leave a part in, as they would a task with the part's name as its tag."""
        tags = {part, "all", "tagged", *self._task.tags} - {"always"}
        return bool(tags & {*variables["ansible_run_tags"]}) and not tags & {*variables["ansible_skip_tags"]}
