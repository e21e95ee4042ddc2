# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.notify_webhook on the control node; the work is done in plugin_utils/reports/webhook.py.

An action plugin because of the URL, which is a secret: an ordinary module writes its arguments to a temporary file.
"""

from typing import Any

from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.release.history import Entry
from ..plugin_utils.reports.history_report import message
from ..plugin_utils.reports.webhook import send

OPTIONS = documented_options(__name__, unquoted=["url", "type"])


class ActionModule(ControlNodeAction):
    """Sends the entry of a run to a webhook."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. What a webhook does, or does not, is a warning and no failure."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        if not options["entry"] or self._task.check_mode:
            return {"changed": False, "sent": False, "skipped": True}
        target = str((task_vars or {}).get("inventory_hostname", "localhost"))
        namespace, entry = options["namespace"], options["entry"]
        details = {"target": target, "namespace": namespace, "entry": entry}
        fault = send(options["url"], options["type"], message(Entry(**entry), target, namespace), details)
        return {"changed": False, "sent": not fault, **({"warnings": [fault]} if fault else {})}
