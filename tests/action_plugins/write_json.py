# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a value to a file as JSON, in Ansible's own process.

For tests: ansible.builtin.copy starts two modules for each host, which takes longer than rendering the whole release.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Takes `content` and `dest`, in check mode too."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the file, which its owner alone can read."""
        result = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            {"content": {"type": "raw", "required": True}, "dest": {"type": "str", "required": True}}
        )
        descriptor = os.open(options["dest"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(options["content"], file)
        return {**result, "changed": True}
