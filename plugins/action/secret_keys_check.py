# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-node half of agentsmith.platform.secret_keys_check; the documentation is in plugins/modules."""

from inspect import signature
from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.secrets.preflight import compare_secret

OPTIONS = documented_options(__name__)
COMPARISON = [
    name for name in OPTIONS if name in signature(compare_secret).parameters
]  # the others are the connection's


class ActionModule(ClusterAction):
    """Compares the keys of a Secret with what the configuration needs; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        try:
            return {
                "changed": False,
                **compare_secret(lambda: self.connection(options), **{name: options[name] for name in COMPARISON}),
            }
        except ApplyError as error:
            raise AnsibleActionFail(str(error)) from None
