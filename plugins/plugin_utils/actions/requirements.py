# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node needs to talk to a cluster. ClusterAction asks, for every playbook and module."""

import sys
from importlib.util import find_spec

# Of the package kubernetes, on which both come
_LIBRARIES = ("urllib3", "websocket")


def missing_requirement() -> str:
    """Return what is not installed and how to install it, or an empty text."""
    if absent := next((name for name in _LIBRARIES if not _is_there(name)), ""):
        return (
            f"The Python package kubernetes (35 or newer) is not installed for {sys.executable}, which runs Ansible: "
            f"No module named '{absent}'. Install it: {sys.executable} -m pip install 'kubernetes>=35'"
        )
    return ""


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
