# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target must set at least."""

from __future__ import annotations

import sys
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.schema import COMMANDS

SIGNING_SECRET = "0badc0de" * 4  # as unlike anything else in an output as its shape allows

PROJECT: dict[str, Any] = {
    "source": {"type": "GitHub", "url": "https://github.com/example/web"},
    "tickets": {"type": "GitHub", "url": "https://github.com/example/web"},
    "agent": {"type": "Claude", "models": {}},
    "pipeline": "fix-bug",
}
# Both releases of the app read it alike
PIPELINES: dict[str, Any] = {"fix-bug": {"commands": list(COMMANDS)}}

REQUIRED: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "agentsmith_namespace": "agentsmith",
    "vault_slack_bot_token": "xoxb-MARKED-bot",
    "vault_slack_signing_secret": SIGNING_SECRET,
    "config_agentsmith": {"projects": {"web": PROJECT}, "pipelines": PIPELINES},
}
