# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.unblock_channels on the control node; the work is done in plugin_utils."""

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.release.conversations import free_channels, table_of
from ..plugin_utils.verification.target import Names, Target

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Frees channels that wait for a Job which will never answer."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        channels = [name.strip() for name in options["channels"]]
        if "" in channels:
            raise AnsibleActionFail(
                "channels (unblock_channels) has an empty entry. Name channels by their IDs (C012AB3CD), or leave it "
                "out for all that are stuck. Nothing was changed."
            )
        with self.connected(options) as connection:
            target = Target(connection, Names(options["namespace"]), [])
            freed = free_channels(target, channels, datetime.now(UTC), self._task.check_mode)
            host = connection.host
        nothing = f"None of {', '.join(channels)} is stuck." if channels else "No channel is stuck."
        text = "\n".join(table_of(freed)) or nothing
        return {
            "changed": bool(freed),
            "channels": [entry.as_dict() for entry in freed],
            "text": text,
            "api_server": host,
        }
