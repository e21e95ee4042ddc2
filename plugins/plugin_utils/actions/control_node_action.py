# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the action plugins: they run on the control node, in the worker, with no file transfer and no connection."""

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..render.texts import ADVICE, argument_misfits


class ControlNodeAction(ActionBase):
    """An action that does its work in the worker."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def checked_options(
        self, tmp: str | None, task_vars: dict[str, Any] | None, argument_spec: dict[str, Any], **rules: Any
    ) -> dict[str, Any]:
        """Begin the task: ActionBase's own start, then the options, checked and with their defaults.

        :param rules: what ArgumentSpecValidator takes beside the specification, such as mutually_exclusive
        :raises AnsibleActionFail: an option is missing, unknown or of another type, or no text where one belongs
        """
        ActionBase.run(self, tmp, task_vars)
        # Ansible would convert it: a context 0123 to "83". Objects are checked where they are rendered
        spec = {name: option for name, option in argument_spec.items() if option.get("elements") != "dict"}
        whole = {"type": "dict", "options": spec}
        if misfits := [fault.lstrip(".") for fault in argument_misfits("", whole, self._task.args)]:
            raise AnsibleActionFail(f"The options of {self._task.action}: {'; '.join(misfits)}. Allowed: {ADVICE}.")
        # The validator copies all that it gets, and of a value of any type it checks nothing but that it is there
        given = self._task.args
        unchecked = {name: value for name, value in given.items() if _is_unchecked(argument_spec.get(name), value)}
        options: dict[str, Any]
        try:
            self._task.args = {**given, **dict.fromkeys(unchecked, True)}
            _validation, options = self.validate_argument_spec(argument_spec, **rules)
        finally:
            self._task.args = given
        return {**options, **unchecked}


def _is_unchecked(option: dict[str, Any] | None, value: Any) -> bool:
    return option is not None and option.get("type") == "raw" and value is not None
