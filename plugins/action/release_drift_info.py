# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.release_drift_info on the control node; the work is done in plugin_utils."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.objects.errors import ConnectionFailed
from ..plugin_utils.objects.owner import Owner
from ..plugin_utils.reports.drift import Ignored, find_drift
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Tells how the cluster differs from a release; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        redactor = Redactor()
        try:
            with self.connection(options) as connection:
                owner = Owner(options["namespace"], options["instance"])
                ignored = Ignored(options["ignore_managers"], options["ignore_paths"])
                report = find_drift(connection, options["objects"], owner, redactor, ignored)
                requests = connection.requests
        except ConnectionFailed as error:
            # Ansible ends with another exit code than for a target that was reached and differs.
            return {"unreachable": True, "msg": redactor.text(str(error))}
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return redactor.failure(error)
        return redactor.tree(
            {
                "changed": False,
                "drift": report.as_dict(),
                "summary": report.summary,
                "text": report.as_text(),
                "requests": requests,
            }
        )
