# SPDX-License-Identifier: GPL-3.0-or-later
"""The fragments of the changelog are sound: a release would stop at a fault in one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def test_every_fragment_passes_the_linter():
    linter = Path(sys.executable).with_name("antsibull-changelog")
    run = subprocess.run([linter, "lint"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
