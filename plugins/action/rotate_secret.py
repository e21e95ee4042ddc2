# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.rotate_secret on the control node; the documentation is in plugins/modules."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.agentsmith.platform.plugins.module_utils.connection import Connection
from ansible_collections.agentsmith.platform.plugins.module_utils.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.module_utils.kubernetes_object import Identity, normalise_objects
from ansible_collections.agentsmith.platform.plugins.module_utils.redaction import Redactor
from ansible_collections.agentsmith.platform.plugins.module_utils.release import Run, Settings
from ansible_collections.agentsmith.platform.plugins.module_utils.rotation import Rotation

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:  # reported by the connection, in words
    AUTH_ARG_SPEC = {}

OPTIONS: dict[str, dict[str, Any]] = {
    # Checked entry by entry in normalise_objects(), whose messages quote no value.
    "objects": {"type": "raw", "required": True},
    # Names, which are no secrets.
    "secret": {"type": "str", "required": True, "no_log": False},
    "namespace": {"type": "str", "required": True},
    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


class ActionModule(ActionBase):
    """Changes named keys of a Secret and rolls the workloads that read them."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task: a preview decides whether the cluster is changed."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({**deepcopy(AUTH_ARG_SPEC), **OPTIONS})
        check_mode, diff_mode = self._task.check_mode, self._task.diff
        wait = {"wait": options["wait"], "wait_timeout": options["wait_timeout"]}
        redactor = Redactor()
        run = preview = Run(Settings(check_mode=True, diff_mode=diff_mode), redactor)
        try:
            bodies = normalise_objects(options["objects"])
            redactor.learn(bodies)
            secret = Identity("v1", "Secret", options["namespace"], options["secret"])
            rotation = Rotation(bodies, secret, options["keys"])
            _refuse(rotation.input_faults())
            connection_options = {name: options.get(name) for name in AUTH_ARG_SPEC}
            with Connection(connection_options, scratch_directory=constants.DEFAULT_LOCAL_TMP) as connection:
                preview.execute(connection, rotation.objects)
                _refuse(rotation.preview_faults(preview.result()["objects"]))
                if not check_mode:
                    run = Run(Settings(diff_mode=diff_mode, **wait), redactor)
                    run.execute(connection, rotation.objects)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            done = {"changed": False} if run is preview else run.result()
            return {**done, **redactor.failure(error)}
        result = run.result()
        return {
            **result,
            "report": rotation.report(result["objects"], check_mode),
            "rolled": rotation.rolled(result["objects"]),
        }


def _refuse(faults: list[str]) -> None:
    """Stop before anything is written.

    :raises ApplyError: with all faults.
    """
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))
