# SPDX-License-Identifier: GPL-3.0-or-later
"""How Hypothesis runs the properties: none is about time, so a busy machine fails none of them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
