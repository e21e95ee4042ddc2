# SPDX-License-Identifier: GPL-3.0-or-later
"""`module_defaults: {group/agentsmith.platform.cluster: …}` reaches every module that talks to a cluster."""

from __future__ import annotations

from pathlib import Path

import yaml
from plugin_pages import documentation

CHECKOUT = Path(__file__).resolve().parents[3]


def test_every_module_with_a_connection_is_in_the_group():
    """One that is missing would silently talk to the cluster of the user's own kubeconfig."""
    connected = {
        module.stem
        for module in (CHECKOUT / "plugins/modules").glob("*.py")
        if "agentsmith.platform.connection" in documentation(module).get("extends_documentation_fragment", [])
    }
    runtime = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text())
    assert "apply" in connected
    assert set(runtime["action_groups"]["cluster"]) == connected
