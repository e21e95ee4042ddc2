# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the stand-in's package importable: it is no part of the collection."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "docker" / "stand-in"))
