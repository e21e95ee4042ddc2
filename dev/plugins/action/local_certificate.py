# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of agentsmith.dev.local_certificate; documented in plugins/modules/local_certificate.py."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.agentsmith.dev.plugins.plugin_utils import server_certificate
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.control_node_action import ControlNodeAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.documented_options import documented_options
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.shapes import SHAPES

# As long as the common name of a certificate may be. An address would need an entry of another kind in it.
_HOST = re.compile(rf"(?=.{{1,64}}\Z)(?![0-9.]+\Z){SHAPES['dns_name'].pattern}")
OPTIONS = documented_options(__name__)


class ActionModule(ControlNodeAction):
    """Issues in the worker: no key is an argument of a process, nor in a result."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what local_certificate documents."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        if not _HOST.fullmatch(options["host"]):
            return {"failed": True, "msg": "host must be a DNS name in lower-case letters, of 64 characters at most."}
        files = server_certificate.Files(Path(options["directory"]))
        now = datetime.now(UTC)
        reason = server_certificate.why_to_issue(files, options["host"], now)
        if reason and not self._task.check_mode:
            try:
                server_certificate.issue(files, options["host"], now)
            except OSError as error:
                return {"failed": True, "msg": f"directory: {error.filename or files.directory}: {error.strerror}."}
        return {"changed": bool(reason), "reason": reason}
