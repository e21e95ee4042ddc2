# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.release_status_info on the control node; the work is done in plugin_utils."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.reports.status import read_status
from ..plugin_utils.verification.target import Names, Target

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Tells what runs; changes nothing, and reads no Secret."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        with self.connected(options) as connection:
            status = read_status(Target(connection, Names(options["namespace"]), []))
        return {"changed": False, "status": status.as_dict(), "text": status.as_text()}
