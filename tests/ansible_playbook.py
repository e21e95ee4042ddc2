# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook as a user runs it in the checkout, with the Python of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
SECONDS = 300  # far more than any of them takes


def ansible_playbook(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it, with these variables of the environment, and return what came of it.

    It reads no terminal. That localhost is in no inventory, Ansible need not say.
    """
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    return subprocess.run(
        [PROGRAMS / "ansible-playbook", *map(str, arguments)],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": path, "ANSIBLE_LOCALHOST_WARNING": "false", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
