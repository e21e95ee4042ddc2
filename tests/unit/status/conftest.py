# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for a connection of the apply engine's tests serves here too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "apply"))
