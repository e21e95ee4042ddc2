# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.write_report; the work is done in plugin_utils/reports/report_file.py."""

import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.reports.report_file import json_text, junit_text, report_of, write_private

OPTIONS = documented_options(__name__)
WRITERS = {"json": json_text, "junit": junit_text}


class ActionModule(ControlNodeAction):
    """Writes what a play has found out to a file."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task, in a preview too: it changes nothing in a cluster."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        if options["format"] == "junit" and options["report"] != "verify":
            raise AnsibleActionFail(f"format is junit, and report is {options['report']}. Only verify has checks.")
        variables = task_vars or {}
        reports = {}
        for host in variables.get("ansible_play_hosts_all") or []:
            result = variables["hostvars"][host].get(options["registered"])
            report = report_of(options["report"], result) if isinstance(result, dict) else None
            if report is not None:
                # JSON there and back: plain values instead of Ansible's tagged ones
                reports[host] = json.loads(json.dumps(report))
        path = Path(options["path"]).absolute()
        try:
            write_private(path, WRITERS[options["format"]](reports).encode())
        except OSError as error:
            raise AnsibleActionFail(f"path cannot be written: {error.strerror}: {path}.") from None
        return {"changed": False, "path": str(path), "hosts": list(reports)}
