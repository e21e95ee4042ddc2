# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.release_status on the control node; the work is done in module_utils."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.module_utils.release_status import read_status
from ansible_collections.agentsmith.platform.plugins.module_utils.verification.target import Names, Target

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:  # reported by the connection, in words
    AUTH_ARG_SPEC = {}

OPTIONS: dict[str, dict[str, Any]] = {"namespace": {"type": "str", "required": True}}


class ActionModule(ActionBase):
    """Tells what runs; changes nothing, and reads no Secret."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({**deepcopy(AUTH_ARG_SPEC), **OPTIONS})
        connection_options = {name: options.get(name) for name in AUTH_ARG_SPEC}
        try:
            with Connection(connection_options, scratch_directory=constants.DEFAULT_LOCAL_TMP) as connection:
                status = read_status(Target(connection, Names(options["namespace"], "", "", ""), []))
        except ApplyError as error:
            raise AnsibleActionFail(str(error)) from None
        return {"changed": False, "status": status.as_dict(), "text": status.as_text()}
