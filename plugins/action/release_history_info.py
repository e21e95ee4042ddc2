# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.release_history_info on the control node; the work is done in plugin_utils."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.objects.owner import Owner
from ..plugin_utils.reports.history_report import read_history

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Tells who changed what, and when; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        with self.connected(options) as connection:
            history = read_history(connection, Owner(options["namespace"], options["instance"]))
        return {"changed": False, "history": history.as_dict(), "text": "\n".join(history.as_text())}
