# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.apply on the control node. The work is done in module_utils; see docs/architecture.md.

The client library is imported with this file, once in the process that starts the workers, instead of once a task.
The connection itself is made in run(): a socket must not be shared between workers.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.module_utils.redaction import Redactor
from ansible_collections.agentsmith.platform.plugins.module_utils.release import Run, Settings

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:  # reported by the connection, in words
    AUTH_ARG_SPEC = {}

APPLY_OPTIONS: dict[str, dict[str, Any]] = {
    # Checked entry by entry in normalise_objects(), whose messages quote no value.
    "objects": {"type": "raw", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "force_conflicts": {"type": "bool", "default": False},
    # No secret, whatever its name makes Ansible think.
    "roll_on_secret_change": {"type": "bool", "default": True, "no_log": False},
    "minimum_kubernetes": {"type": "str"},
}


class ActionModule(ActionBase):
    """Applies or deletes the objects of a release."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({**deepcopy(AUTH_ARG_SPEC), **APPLY_OPTIONS})
        redactor = Redactor()
        settings = Settings(
            state=options["state"],
            wait=options["wait"],
            wait_timeout=options["wait_timeout"],
            force_conflicts=options["force_conflicts"],
            roll_on_secret_change=options["roll_on_secret_change"],
            minimum_kubernetes=options["minimum_kubernetes"],
            check_mode=self._task.check_mode,
            diff_mode=self._task.diff,
        )
        run = Run(settings, redactor)
        connection_options = {name: options.get(name) for name in AUTH_ARG_SPEC}
        try:
            if not isinstance(options["objects"], list):
                raise ApplyError("objects must be a list of Kubernetes objects.")
            with Connection(connection_options, scratch_directory=constants.DEFAULT_LOCAL_TMP) as connection:
                run.execute(connection, options["objects"])
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {**run.result(), **redactor.failure(error)}
        return run.result()
